import Glibc
import MasterKit
import MasterRuntime
import Testing

/// All processes started by a command end with it.
struct LocalWorkerEndingTests {
    private static func hasty(_ shell: inout Command.Shell) {
        shell.terminationGrace = .milliseconds(200)
        shell.drainTime = .milliseconds(200)
    }

    @Test func `silence ends the whole session`() async throws {
        let ran = try await Ran.shell("echo $$; sleep 100 & echo $!; sleep 100 & echo $!; wait") {
            $0.timeout = .milliseconds(500)
        }
        #expect(ran.result.timedOut == .silence(.milliseconds(500)))
        #expect(ran.result.ending == .killed(signal: SIGTERM))
        #expect(ran.result.description == "timed out: 0.5 seconds without output")
        #expect(ran.header.contains("command timed out: 0.5 seconds without output"))
        #expect(ran.processes.count == 3)
        #expect(ran.processes.filter(Ran.isAlive).isEmpty)
        #expect(ran.result.elapsed < .seconds(30))
    }

    @Test func `output on either stream is no silence`() async throws {
        let script = """
            for i in $(seq 20); do sleep 0.2; echo o; done
            for i in $(seq 20); do sleep 0.2; echo e >&2; done
            """
        let ran = try await Ran.shell(.script(script)) { $0.timeout = .seconds(3) }
        #expect(ran.result.isSuccess)
    }

    @Test func `a program that never stops writing ends at its time limit`() async throws {
        var count = 0
        var shell = Command.Shell(["yes"], in: "/tmp")
        shell.maxTime = .milliseconds(300)
        let result = try await LocalWorker(root: "/tmp").run(.shell(shell)) { update in
            if case .output(_, let bytes) = update.content { count += bytes.count }
        }
        #expect(result.timedOut == .total(.milliseconds(300)))
        #expect(result.elapsed < .seconds(30))
        #expect(count > 0)
    }

    @Test func `whoever ignores TERM gets KILL`() async throws {
        let ran = try await Ran.shell("trap '' TERM; echo $$; while :; do sleep 0.01; done") {
            Self.hasty(&$0)
            $0.timeout = .milliseconds(500)
        }
        #expect(ran.result.ending == .killed(signal: SIGKILL))
        #expect(ran.processes.filter(Ran.isAlive).isEmpty)
    }

    @Test func `a grace of zero is KILL at once`() async throws {
        let ran = try await Ran.shell("trap 'echo bye' TERM; while :; do sleep 0.01; done") {
            $0.terminationGrace = .zero
            $0.maxTime = .milliseconds(500)
        }
        #expect(ran.result.ending == .killed(signal: SIGKILL))
        #expect(ran.output.isEmpty)
    }

    @Test func `last words after TERM are read`() async throws {
        let ran = try await Ran.shell(
            "trap 'echo bye; exit 4' TERM; echo hi; while :; do sleep 0.01; done"
        ) { $0.timeout = .milliseconds(500) }
        #expect(ran.output == "hi\nbye\n")
        #expect(ran.result.ending == .exited(code: 4))
        #expect(ran.result.timedOut != nil)
        #expect(!ran.result.isSuccess)
    }

    @Test func `each process gets TERM once, in the group of the program and beside it`()
        async throws
    {
        let script = """
            trap 'echo own' TERM
            setsid -f sh -c 'trap "echo other" TERM; while :; do :; done'
            echo hi
            while :; do :; done
            """
        let ran = try await Ran.shell(.script(script)) {
            $0.maxTime = .milliseconds(500)
            $0.terminationGrace = .milliseconds(500)
        }
        #expect(ran.output.split(separator: "\n").sorted() == ["hi", "other", "own"])
    }

    @Test func `a stopped process ends`() async throws {
        let ran = try await Ran.shell("sh -c 'kill -STOP $$' & echo $!; kill -STOP $$") {
            Self.hasty(&$0)
            $0.maxTime = .milliseconds(500)
        }
        #expect(ran.result.timedOut != nil)
        #expect(ran.processes.filter(Ran.isAlive).isEmpty)
        #expect(ran.result.elapsed < .seconds(30))
    }

    @Test func `a grandchild that holds the streams is read for a while, then ended`() async throws
    {
        let ran = try await Ran.shell("(echo late; exec sleep 100) & echo $!; exit 5") {
            Self.hasty(&$0)
        }
        #expect(ran.result.ending == .exited(code: 5))
        #expect(ran.result.timedOut == nil)
        #expect(ran.output.contains("late\n"))
        #expect(ran.processes.count == 1)
        #expect(ran.processes.filter(Ran.isAlive).isEmpty)
        #expect(ran.result.elapsed < .seconds(30))
    }

    @Test func `a grandchild that writes for ever is ended`() async throws {
        var shell = Command.Shell("yes & echo $!; exit 0", in: "/tmp")
        Self.hasty(&shell)
        var ran = Ran()
        ran.result = try await LocalWorker(root: "/tmp").run(.shell(shell)) { update in
            if ran.processes.isEmpty { ran.take(update) }
        }
        #expect(ran.result.isSuccess)
        #expect(ran.result.elapsed < .seconds(30))
    }

    @Test func `what is left in the background without our streams is ended too`() async throws {
        let ran = try await Ran.shell("sleep 100 >/dev/null 2>&1 & echo $!") { Self.hasty(&$0) }
        #expect(ran.result.isSuccess)
        #expect(ran.processes.count == 1)
        #expect(ran.processes.filter(Ran.isAlive).isEmpty)
    }

    @Test func `a process group of its own does not save a process`() async throws {
        let ran = try await Ran.shell(
            "timeout 100 sleep 99 & echo $!; set -m; sleep 98 & echo $!; wait"
        ) {
            Self.hasty(&$0)
            $0.maxTime = .milliseconds(800)
        }
        #expect(ran.processes.count == 2)
        #expect(ran.processes.filter(Ran.isAlive).isEmpty)
    }

    /// Ways to escape from a command; each prints the ID of the escaping process.
    static let fugitives: [Command.Invocation] = [
        "setsid sh -c 'echo $$; exec sleep 60 >/dev/null 2>&1' &",
        "(setsid sh -c 'echo $$; exec sleep 60 >/dev/null 2>&1' &) ; sleep 0.2",
        "env -i setsid sh -c 'echo $$; exec sleep 60 >/dev/null 2>&1' & sleep 0.2",
        "setsid sh -c 'trap \"\" TERM HUP; echo $$; exec >&- 2>&-; sleep 60; :' & sleep 0.2",
        [
            "python3", "-c",
            """
            import os, sys, time
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    print(os.getpid(), flush=True)
                    os.closerange(0, 100)
                    time.sleep(60)
                os._exit(0)
            os.wait()
            time.sleep(0.2)
            """,
        ],
    ]

    @Test(arguments: fugitives)
    func `whoever has left the session is found and ended, and the log says so`(
        _ invocation: Command.Invocation
    ) async throws {
        let ran = try await Ran.shell(invocation) { Self.hasty(&$0) }
        let fugitive = try #require(ran.processes.first)
        #expect(ran.result.isSuccess)
        #expect(!Ran.isAlive(fugitive))
        #expect(ran.header.contains("\nended "))
        #expect(ran.header.contains(" that the command left running: "))
        #expect(ran.header.contains("(\(fugitive))"))
        #expect(ran.result.elapsed < .seconds(30))
    }

    @Test func `commands end their own processes, not those of others`() async throws {
        let other = try await withThrowingTaskGroup(of: Ran.self) { group in
            group.addTask { try await Ran.shell("setsid sleep 1 & sleep 1; echo over") }
            for _ in 1...20 {
                let ran = try await Ran.shell("setsid sleep 60 & true") { Self.hasty(&$0) }
                #expect(ran.header.contains("ended 1 process that the command left running: "))
            }
            return try #require(await group.next())
        }
        #expect(other.output == "over\n")
        #expect(!other.header.contains("left running: sleep (1"), "\(other.header)")
    }

    @Test func `a command that leaves nothing behind is not said to have`() async throws {
        let ran = try await Ran.shell("true & wait; (sleep 0.01); echo done | cat")
        #expect(!ran.header.contains("left running"))
    }

    @Test func `the program has been waited for when its result comes`() async throws {
        let ran = try await Ran.shell("echo $$")
        let process = try #require(ran.processes.first)
        #expect(!Ran.isThere("/proc/\(process)"))
    }
}
