import FoundationEssentials
import Glibc
import MasterKit
import SystemPackage
import Testing

@testable import MasterRuntime

/// Processes left behind by an earlier master.
struct AbandonedCommandTests {
    /// Starts a process with a mark, like a command of a master with a prefix.
    private func start(marked mark: UInt64) throws -> pid_t {
        let null = try POSIX.open("/dev/null", O_RDWR)
        let process = NewProcess(
            candidates: [Array("/bin/sleep".utf8)], arguments: ["sleep", "60"],
            environment: .minimal, folder: "/", streams: (null, null, null), mark: mark)
        return try process.start().process
    }

    private func isEnded(_ process: pid_t) -> Bool {
        defer {
            kill(process, SIGKILL)
            _ = waitpid(process, nil, 0)
        }
        return !Ran.isAlive(process)
    }

    @Test func `the commands of the master that is noted are ended, and no others`() async throws {
        try await TemporaryFolder.with { folder in
            let prefix: UInt64 = 12_345_678_901
            let (theirs, others) = (
                try start(marked: prefix * 100_000_000 + 7),
                try start(marked: (prefix + 1) * 100_000_000)
            )
            try folder.write("\(prefix)\n", to: "commands")
            let path = folder.path + "/commands"
            let ended = try await folder.worker.endAbandonedCommands(notedAt: path)
            #expect(ended == ["sleep (\(theirs))"])
            #expect(isEnded(theirs))
            #expect(!isEnded(others))
            #expect(try folder.read("commands") == "\(ProcessMark.ownPrefix)\n")
        }
    }

    @Test(arguments: ["", "x", "0", "-1", "1", "18446744073709551615", "99999999999999999999999"])
    func `a file that notes nothing ends nothing, and is replaced`(_ text: String) async throws {
        try await TemporaryFolder.with { folder in
            try folder.write(text, to: "commands")
            let path = folder.path + "/commands"
            #expect(try await folder.worker.endAbandonedCommands(notedAt: path) == [])
            #expect(try folder.read("commands") == "\(ProcessMark.ownPrefix)\n")
        }
    }

    @Test func `commands of this process are never abandoned`() async throws {
        try await TemporaryFolder.with { folder in
            let process = try start(marked: ProcessMark.next().number)
            let path = folder.path + "/commands"
            for _ in 1...2 {
                #expect(try await folder.worker.endAbandonedCommands(notedAt: path) == [])
            }
            #expect(!isEnded(process))
        }
    }

    @Test func `a link is not followed, and a folder is an error in words`() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("precious", to: "other")
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/commands", withDestinationPath: folder.path + "/other")
            let worker = folder.worker
            await #expect(throws: CommandError.self) {
                try await worker.endAbandonedCommands(notedAt: folder.path + "/commands")
            }
            #expect(try folder.read("other") == "precious")
        }
    }
}
