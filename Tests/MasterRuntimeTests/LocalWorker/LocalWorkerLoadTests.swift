import FoundationEssentials
import MasterKit
import MasterRuntime
import Testing

/// Heavy load, without leaks.
@Suite(.serialized)
struct LocalWorkerLoadTests {
    @Test func `200 megabytes of output come in small pieces`() async throws {
        let total = 200_000_000
        var count = 0
        var shell = Command.Shell(["head", "-c", "\(total)", "/dev/zero"], in: "/tmp")
        shell.timeout = .seconds(60)
        var largest = 0
        let result = try await LocalWorker(root: "/tmp").run(.shell(shell)) { update in
            guard case .output(.stdout, let bytes) = update.content else { return }
            count += bytes.count
            largest = max(largest, bytes.count)
        }
        #expect(result.isSuccess)
        #expect(count == total)
        #expect(largest <= 128 * 1024)
    }

    @Test func `a hundred commands run side by side`() async throws {
        let outputs = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<100 {
                group.addTask {
                    try await Ran.shell(.script("echo \(number); sleep 0.3; echo end")).output
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(outputs == Set((0..<100).map { "\($0)\nend\n" }))
    }

    /// Other tests open files at the same time; a leak would show several per command.
    @Test func `no file stays open, whatever became of the command`() async throws {
        let before = try Self.openFileCount()
        let count = 150
        for number in 0..<count {
            let ran = try await Ran.shell(["true"]) { $0.stdin = [1] }
            #expect(ran.result.isSuccess)
            guard number.isMultiple(of: 2) else { continue }
            await #expect(throws: CommandError.self) { try await Ran.shell(["no-such-program"]) }
            await #expect(throws: CommandError.self) {
                try await Ran.shell(["true"], in: "/no/such/folder")
            }
        }
        #expect(try Self.openFileCount() - before < count)
    }

    private static func openFileCount() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
}
