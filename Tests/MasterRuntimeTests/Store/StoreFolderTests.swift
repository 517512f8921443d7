import Foundation
import GRDB
import MasterKit
import Testing

@testable import MasterRuntime

/// What is said of folders and files that cannot be used.
struct StoreFolderTests {
    @Test func `a path below a file is refused`() async throws {
        try await StoreFixture.inFolder { folder in
            try Data().write(to: URL(fileURLWithPath: folder + "/file"))
            let error = try await storeError { try await Store.open(folder: folder + "/file/base") }
            #expect(error?.code == .folder)
            #expect(
                error?.message == "the folder \(folder)/file/base cannot be made "
                    + "(Not a directory); name another one with --basedir")
        }
    }

    @Test func `a file in the place of the folder is refused`() async throws {
        try await StoreFixture.inFolder { folder in
            try Data().write(to: URL(fileURLWithPath: folder + "/file"))
            let error = try await storeError { try await Store.open(folder: folder + "/file") }
            #expect(error?.code == .folder)
            #expect(error?.message.contains("\(folder)/file") == true)
            #expect(error?.message.contains("--basedir") == true)
        }
    }

    @Test func `a file system that takes no files is refused`() async throws {
        let error = try await storeError { try await Store.open(folder: "/proc/self") }
        #expect(error?.message.hasPrefix("/proc/self") == true)
        #expect(error?.message.contains("--basedir") == true)
    }

    @Test func `a folder that another process holds is refused with its pid`() async throws {
        try await StoreFixture.inFolder { folder in
            let holder = try LockHolder(folder: folder)
            let error = try await storeError { try await Store.open(folder: folder) }
            #expect(error?.code == .locked)
            #expect(
                error?.message == "\(folder) is in use by another master (process 4711); wait for "
                    + "it, end it, or name another folder with --basedir")
            holder.end()
            let store = try await Store.open(folder: folder)
            await store.close()
        }
    }

    @Test func `a second store of this process is refused and leaves the first one alone`()
        async throws
    {
        try await StoreFixture.run { fixture in
            let error = try await storeError { try await Store.open(folder: fixture.folder) }
            #expect(error?.code == .locked)
            #expect(
                error?.message.contains("(process \(ProcessInfo.processInfo.processIdentifier))")
                    == true)
            _ = try await fixture.startBuild()
        }
    }

    @Test func `a file that is no database is said to be damaged`() async throws {
        try await StoreFixture.inFolder { folder in
            let path = folder + "/buildmaster.sqlite"
            try Data(repeating: 0x2A, count: 8192).write(to: URL(fileURLWithPath: path))
            let error = try await storeError { try await Store.open(folder: folder) }
            #expect(error?.code == .damaged)
            #expect(
                error?.message == "\(path) is damaged (file is not a database); move it away, with "
                    + "the files -wal and -shm beside it, and a new one is begun")
        }
    }

    @Test func `pages that are damaged are said to be so and free the folder`() async throws {
        try await StoreFixture.inFolder { folder in
            let path = folder + "/buildmaster.sqlite"
            let fixture = try await StoreFixture.open(folder)
            await fixture.store.close()
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes.replaceSubrange(4096..., with: Data(repeating: 0xFF, count: bytes.count - 4096))
            try bytes.write(to: URL(fileURLWithPath: path))
            for _ in 1...2 {
                let error = try await storeError { try await Store.open(folder: folder) }
                #expect(error?.code == .damaged)
                #expect(error?.message.contains("\(path) is damaged") == true)
            }
        }
    }

    @Test func `a folder in the place of the database is said`() async throws {
        try await StoreFixture.inFolder { folder in
            let path = folder + "/buildmaster.sqlite"
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false)
            let error = try await storeError { try await Store.open(folder: folder) }
            #expect(error?.code == .system)
            #expect(error?.message.hasPrefix("\(path) cannot be read or written (") == true)
        }
    }

    @Test func `a database of a newer program is left alone`() async throws {
        try await StoreFixture.inFolder { folder in
            let fixture = try await StoreFixture.open(folder)
            try await fixture.store.write {
                try $0.database.run(
                    "INSERT INTO grdb_migrations (identifier) VALUES ('9 wonders')")
            }
            await fixture.store.close()
            let path = folder + "/buildmaster.sqlite"
            let error = try await storeError { try await Store.open(folder: folder) }
            #expect(error?.code == .newer)
            #expect(
                error?.message == "\(path) was written by a newer version of this program; use "
                    + "that version, or name another folder with --basedir")
            let isClean = try await DatabaseQueue(path: path).read {
                try Int.fetchOne($0, sql: "SELECT clean FROM meta")
            }
            #expect(isClean == 1)
        }
    }
}

/// Another process that holds the lock of a folder, as a master does.
private struct LockHolder {
    private let process = Process()
    private let input = Pipe()

    init(folder: String) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "echo 4711 >\"$0/lock\"; exec 9<>\"$0/lock\"; flock 9; echo held; read end",
            folder,
        ]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        _ = output.fileHandleForReading.availableData
    }

    func end() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
