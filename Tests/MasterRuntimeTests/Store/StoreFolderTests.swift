import Foundation
import GRDB
import Glibc
import MasterKit
import Testing

@testable import MasterRuntime

/// Messages about folders and files that cannot be used.
struct StoreFolderTests {
    @Test func `a path below a file is refused`() async throws {
        try await StoreFixture.inFolder { folder in
            try Data().write(to: URL(fileURLWithPath: folder + "/file"))
            let error = try await storeError { try await Store.open(folder: folder + "/file/base") }
            #expect(error?.code == .folder)
            #expect(
                error?.message == "the folder \(folder)/file/base cannot be created "
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

    @Test func `a lock that no master holds names nobody`() async throws {
        try await StoreFixture.inFolder { folder in
            let store = try await Store.open(folder: folder)
            await store.close()
            // The file left by the previous master, with the ID of a running process.
            let left = try text(of: folder + "/lock")
            let own = "process \(ProcessInfo.processInfo.processIdentifier)\n"
            #expect(left.hasPrefix(own))
            for text in [
                "", "4711\n", left.replacing(own, with: "process 1\n"),
                left.replacing(own, with: "process 999999999\n"),
            ] {
                let holder = try LockHolder(folder: folder, writing: text)
                let error = try await storeError { try await Store.open(folder: folder) }
                #expect(error?.code == .locked)
                #expect(
                    error?.message
                        == "\(folder) is locked by a process that is not the last master "
                        + "to use it; find it with 'fuser -v \(folder)/lock' and end it, or name "
                        + "another folder with --basedir", "\(text)")
                holder.end()
            }
            let again = try await Store.open(folder: folder)
            await again.close()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a lock that a process of a killed master lets go is waited for`() async throws {
        try await StoreFixture.inFolder { folder in
            let holder = try LockHolder(folder: folder, writing: "")
            async let lock = OwnThread.run {
                try StoreLock(StoreFolder(path: folder), patience: .seconds(60))
            }
            while !isOpen(folder + "/lock") { await Task.yield() }
            holder.end()
            try await lock.release()
            #expect(try text(of: folder + "/lock").hasPrefix("process "))
        }
    }

    /// Whether this process has a file open.
    private func isOpen(_ path: String) -> Bool {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return files.contains { file in
            let link = "/proc/self/fd/\(file)"
            return (try? FileManager.default.destinationOfSymbolicLink(atPath: link)) == path
        }
    }

    @Test func `a master on another machine is named with it`() async throws {
        try await StoreFixture.inFolder { folder in
            let text = "process 4711\nstart 99\nboot 0815\nhost ci-2\n"
            let holder = try LockHolder(folder: folder, writing: text)
            let error = try await storeError { try await Store.open(folder: folder) }
            #expect(
                error?.message == "\(folder) is in use by another master (process 4711 on ci-2); "
                    + "wait for it, end it, or name another folder with --basedir")
            holder.end()
        }
    }

    @Test func `a master that ran before the machine was booted is not running`() async throws {
        try await StoreFixture.inFolder { folder in
            let text = "process 4711\nstart 99\nboot 0815\nhost ci-2\n"
            let holder = try LockHolder(folder: folder, writing: text)
            #expect(try StoreLock.holder(in: folder) == "process 4711 on ci-2")
            holder.end()
            #expect(try StoreLock.holder(in: folder) == nil)
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
                error?.message == "\(path) is damaged (file is not a database); restore it from "
                    + "a backup, or move it and its -wal and -shm files away to start with an "
                    + "empty one")
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

    // MARK: Unexpected files

    private static let names = ["lock", "buildmaster.sqlite", "buildmaster.sqlite-wal", "logs"]

    @Test(arguments: names)
    func `a link is refused, and what it leads to is left as it is`(name: String) async throws {
        try await StoreFixture.inFolder { folder in
            let target = folder + "/letter"
            try Data("dear friend".utf8).write(to: URL(fileURLWithPath: target))
            let base = folder + "/.buildmaster"
            try await Store.open(folder: base).close()
            try? FileManager.default.removeItem(atPath: "\(base)/\(name)")
            try FileManager.default.createSymbolicLink(
                atPath: "\(base)/\(name)", withDestinationPath: target)
            let error = try await storeError { try await Store.open(folder: base) }
            let (kind, other) = name == "logs" ? ("folder", "one") : ("regular file", "folder")
            #expect(
                error?.message
                    == "\(base)/\(name) is a symbolic link, not a \(kind); move it away, "
                    + "or name another \(other) with --basedir")
            #expect(try text(of: target) == "dear friend")
            guard name.hasPrefix("buildmaster") else { return }
            let looking = try await storeError {
                try await DeliveryAdmin.with(folder: base) { _ in }
            }
            #expect(looking?.message == error?.message)
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: names.dropLast())
    func `a named pipe and a folder are refused and not waited for`(name: String) async throws {
        try await StoreFixture.inFolder { folder in
            let path = "\(folder)/\(name)"
            try run("mkfifo", path)
            let error = try await storeError { try await Store.open(folder: folder) }
            #expect(
                error?.message.hasPrefix("\(path) is a named pipe, not a regular file; ") == true)
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false)
            let second = try await storeError { try await Store.open(folder: folder) }
            #expect(second?.message.hasPrefix("\(path) is a folder, not a regular file; ") == true)
        }
    }

    @Test func `files of another user are refused`() async throws {
        try #require(geteuid() == 0, "only root can give a file away")
        try await StoreFixture.inFolder { folder in
            try await Store.open(folder: folder).close()
            for name in ["", "/lock", "/buildmaster.sqlite", "/logs"] {
                try run("chown", "4711", folder + name)
                let error = try await storeError { try await Store.open(folder: folder) }
                #expect(
                    error?.message == "\(folder)\(name) belongs to another user (uid 4711); run as "
                        + "that user, change the owner, or name another folder with --basedir")
                try run("chown", "0", folder + name)
            }
        }
    }

    // MARK: Permissions

    private static func permissions(_ path: String) throws -> String {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return String((attributes[.posixPermissions] as? Int) ?? 0, radix: 8)
    }

    private static let parts = [
        "": "700", "/logs": "700", "/work": "700", "/lock": "600", "/buildmaster.sqlite": "600",
        "/buildmaster.sqlite-wal": "600", "/buildmaster.sqlite-shm": "600",
    ]

    @Test func `everything is its user's alone, in a store that was open to all, too`() async throws
    {
        try await StoreFixture.inFolder { folder in
            let base = folder + "/a/.buildmaster"
            for _ in 1...2 {
                let store = try await Store.open(folder: base)
                for (name, permissions) in Self.parts {
                    #expect(try Self.permissions(base + name) == permissions, "\(name)")
                    // As left by an older version.
                    try run("chmod", permissions == "700" ? "755" : "644", base + name)
                }
                try await DeliveryAdmin.with(folder: base) { _ in }
                #expect(try Self.permissions(base + "/buildmaster.sqlite-wal") == "600")
                await store.close()
            }
            #expect(try Self.permissions(folder + "/a") == "755")
        }
    }

    @Test func `a folder with other things in it stays open, the master's files do not`()
        async throws
    {
        try await StoreFixture.inFolder { folder in
            try Data().write(to: URL(fileURLWithPath: folder + "/master.yaml"))
            try run("chmod", "755", folder)
            let store = try await Store.open(folder: folder)
            #expect(try Self.permissions(folder) == "755")
            for (name, permissions) in Self.parts where !name.isEmpty {
                #expect(try Self.permissions(folder + name) == permissions, "\(name)")
            }
            await store.close()
        }
    }

    @Test func `a folder that a link leads to is left open, and git sees it`() async throws {
        try await StoreFixture.inFolder { folder in
            let (target, base) = (folder + "/home", folder + "/.buildmaster")
            try FileManager.default.createDirectory(
                atPath: target, withIntermediateDirectories: false)
            try Data().write(to: URL(fileURLWithPath: target + "/notes"))
            try run("chmod", "755", target)
            try FileManager.default.createSymbolicLink(
                atPath: base, withDestinationPath: target)
            let store = try await Store.open(folder: base)
            #expect(try Self.permissions(target) == "755")
            #expect(!FileManager.default.fileExists(atPath: target + "/.gitignore"))
            for (name, permissions) in Self.parts where !name.isEmpty {
                #expect(try Self.permissions(target + name) == permissions, "\(name)")
            }
            await store.close()
        }
    }
}

/// Runs a system program until it exits.
private func run(_ name: String, _ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name] + arguments
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
}

private func text(of path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
}

/// Another process that holds the lock of a folder.
private struct LockHolder {
    private let process = Process()
    private let input = Pipe()

    init(folder: String, writing text: String) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c",
            "printf %s \"$1\" >\"$0/lock\"; exec 9<>\"$0/lock\"; flock 9; echo held; read end",
            folder, text,
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
