import Glibc
import MasterKit
import MasterRuntime
import Synchronization
import Testing

/// The effects of the caller on a command: cancelling, failing, being slow.
struct LocalWorkerCallerTests {
    struct Full: Error {}

    @Test func `cancelling ends all processes before the call returns`() async throws {
        let (lines, continuation) = AsyncStream.makeStream(of: Ran.self)
        let task = Task {
            var ran = Ran()
            var shell = Command.Shell("echo $$; sleep 100 & echo $!; wait", in: "/tmp")
            shell.terminationGrace = .milliseconds(200)
            _ = try await LocalWorker(root: "/tmp").run(.shell(shell)) { update in
                ran.take(update)
                if ran.processes.count == 2 { continuation.yield(ran) }
            }
        }
        var iterator = lines.makeAsyncIterator()
        let ran = try #require(await iterator.next())
        #expect(ran.processes.allSatisfy(Ran.isAlive))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(ran.processes.filter(Ran.isAlive).isEmpty)
    }

    @Test func `a task that is cancelled already starts nothing`() async throws {
        let path = "/tmp/local-worker-never-\(getpid())"
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await Ran.shell(.script("touch \(path)"))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(!Ran.isThere(path))
    }

    @Test func `an error of the receiver ends the command and is thrown on`() async throws {
        var ran = Ran()
        var calls = 0
        var shell = Command.Shell("echo $$; exec yes", in: "/tmp")
        shell.terminationGrace = .milliseconds(200)
        await #expect(throws: Full.self) {
            _ = try await LocalWorker(root: "/tmp").run(.shell(shell)) { update in
                ran.take(update)
                guard case .output = update.content else { return }
                calls += 1
                throw Full()
            }
        }
        #expect(calls == 1)
        let process = try #require(ran.processes.first)
        #expect(!Ran.isAlive(process))
    }

    @Test func `an error at the first header line starts nothing`() async throws {
        let path = "/tmp/local-worker-unheard-\(getpid())"
        await #expect(throws: Full.self) {
            let command = Command.shell(.init(.script("touch \(path)"), in: "/tmp"))
            _ = try await LocalWorker(root: "/tmp").run(command) { _ in throw Full() }
        }
        #expect(!Ran.isThere(path))
    }

    /// The receiver holds the first piece for longer than the silence limit, measured by a second
    /// command that takes that long.
    @Test func `a slow receiver is no silence of the command`() async throws {
        var shell = Command.Shell("head -c 4000000 /dev/zero", in: "/tmp")
        shell.timeout = .seconds(3)
        var count = 0
        var hasWaited = false
        let result = try await LocalWorker(root: "/tmp").run(.shell(shell)) { update in
            guard case .output(_, let bytes) = update.content else { return }
            count += bytes.count
            guard !hasWaited else { return }
            hasWaited = true
            _ = try await Ran.shell(["sleep", "4"])
        }
        #expect(result.isSuccess)
        #expect(count == 4_000_000)
    }

    @Test func `a slow receiver holds the command back`() async throws {
        try await TemporaryFolder.with { folder in
            let script = """
                head -c 3000000 /dev/zero; touch written
                """
            var wasWritten: Bool?
            _ = try await folder.worker.run(.shell(.init(.script(script), in: "."))) { update in
                guard case .output = update.content, wasWritten == nil else { return }
                _ = try await Ran.shell(["sleep", "0.2"])
                wasWritten = folder.has("written")
            }
            #expect(wasWritten == false)
            #expect(folder.has("written"))
        }
    }
}
