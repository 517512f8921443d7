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
