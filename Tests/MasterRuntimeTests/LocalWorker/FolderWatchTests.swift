import FoundationEssentials
import MasterKit
import Testing

@testable import MasterRuntime

@Suite(.timeLimit(.minutes(1)))
struct FolderWatchTests {
    private static func with(_ body: (String) async throws -> Void) async throws {
        let folder = "/tmp/watch-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder + "/a/b", withIntermediateDirectories: true)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(folder))
        } catch {
            outcome = .failure(error)
        }
        try FileManager.default.removeItem(atPath: folder)
        try outcome.get()
    }

    private static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    @Test func `changes in the watched folders are told together, and no others`() async throws {
        try await Self.with { folder in
            let watch = try FolderWatch([folder, folder + "/a", folder + "/gone"])
            #expect(watch.pending().isEmpty)
            try Self.write("x", to: folder + "/a/b/unwatched")
            try Self.write("x", to: folder + "/one")
            try Self.write("x", to: folder + "/a/two")
            try FileManager.default.removeItem(atPath: folder + "/one")
            let changes = try await watch.next(quiet: .milliseconds(50))
            #expect(changes.paths == [folder + "/one", folder + "/a/two"])
            #expect(!changes.isUncertain)
            try FileManager.default.moveItem(atPath: folder + "/a/two", toPath: folder + "/three")
            #expect(watch.pending().paths == [folder + "/a/two", folder + "/three"])
            #expect(watch.pending().isEmpty)
        }
    }

    @Test func `a folder that is moved or deleted is told`() async throws {
        try await Self.with { folder in
            let watch = try FolderWatch([folder, folder + "/a", folder + "/a/b"])
            #expect(watch.isComplete)
            try FileManager.default.removeItem(atPath: folder + "/a/b")
            #expect(try await watch.next(quiet: .zero).hasLostFolder)
            let other = try FolderWatch([folder + "/a", folder + "/a/b"])
            #expect(!other.isComplete)
            try FileManager.default.moveItem(atPath: folder + "/a", toPath: folder + "/c")
            #expect(try await other.next(quiet: .zero).hasLostFolder)
        }
    }

    @Test func `a file is changed by each link on the way to it`() async throws {
        try await Self.with { folder in
            func link(_ name: String, _ target: String) throws {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(folder)/\(name)", withDestinationPath: target)
            }
            // As Kubernetes mounts files.
            try Self.write("x", to: folder + "/a/b/file")
            try link("data", "a/../a/./b")
            try link("file", "data/file")
            #expect(
                FolderWatch.places(of: folder + "/file")
                    == [folder + "/file", folder + "/data", folder + "/a/b/file"])
            try link("absolute", folder + "/file")
            #expect(FolderWatch.places(of: folder + "/absolute").count == 4)
            #expect(FolderWatch.places(of: folder + "/a/none/x") == [folder + "/a/none/x"])
            try link("round", "round")
            #expect(FolderWatch.places(of: folder + "/round").count == 41)
        }
    }

    @Test func `waiting ends when the watch is stopped`() async throws {
        try await Self.with { folder in
            let watch = try FolderWatch([folder])
            async let changes = watch.next(quiet: .seconds(60))
            watch.stop()
            #expect(try await changes.isEmpty)
            #expect(try await watch.next(quiet: .seconds(60)).isEmpty)
        }
    }
}
