import Glibc
import MasterKit
import MasterRuntime
import Testing

struct LocalWorkerProgramTests {
    @Test func `both streams and the exit code come back`() async throws {
        let ran = try await Ran.shell("echo out; echo err >&2; exit 3")
        #expect(ran.output == "out\n")
        #expect(ran.errors == "err\n")
        #expect(ran.result.ending == .exited(code: 3))
        #expect(ran.result.timedOut == nil)
        #expect(!ran.result.isSuccess)
        #expect(ran.result.elapsed > .zero)
    }

    @Test func `a program killed by a signal says which`() async throws {
        let ran = try await Ran.shell("kill -9 $$")
        #expect(ran.result.ending == .killed(signal: 9))
        #expect(ran.result.description == "killed by signal 9 (SIGKILL)")
        #expect(ran.header.contains("process killed by signal 9 (SIGKILL)\nelapsedTime="))
    }

    @Test func `the arguments of a program are not read by a shell`() async throws {
        let ran = try await Ran.shell(["printf", "%s|", "a b", "$HOME", "'", ""])
        #expect(ran.output == "a b|$HOME|'||")
    }

    @Test func `the header tells command, folder, limits and arguments`() async throws {
        let ran = try await Ran.shell(["sh", "-c", "echo \"one\""]) { $0.maxTime = .seconds(60) }
        let lines = ran.header.split(separator: "\n")
        #expect(
            lines.prefix(4) == [
                "sh -c 'echo \"one\"'",
                " in dir /tmp (timeout 1200 secs) (maxTime 60 secs)",
                #" argv: ["sh", "-c", "echo \"one\""]"#,
                "program finished with exit code 0",
            ]
        )
        #expect(lines.count == 5)
        let time = try #require(lines.last)
        #expect(time.wholeMatch(of: /elapsedTime=\d+\.\d{6}/) != nil)
        #expect(!ran.header.contains("PATH="))
    }

    @Test func `the environment is inherited, set and unset`() async throws {
        let ran = try await Ran.shell("echo $PATH; echo $ADDED; echo ${HOME-unset}; echo $PWD") {
            $0.environment = ["ADDED": "ä 1", "HOME": nil]
            $0.logsEnvironment = true
        }
        let path = try #require(unsafe getenv("PATH").map { unsafe String(cString: $0) })
        #expect(ran.output == "\(path)\nä 1\nunset\n/tmp\n")
        #expect(ran.header.contains("\n  ADDED=ä 1\n"))
        #expect(!ran.header.contains("\n  HOME="))
    }

    @Test func `variables that hold secrets are passed on only by name`() async throws {
        let worker = LocalWorker(root: "/tmp", withholding: ["PATH", "HOME"])
        var ran = Ran()
        var shell = Command.Shell("echo ${PATH-none} ${HOME}; /usr/bin/env", in: "/tmp")
        shell.environment = ["PATH": "/given"]
        _ = try await worker.run(.shell(shell)) { ran.take($0) }
        let lines = ran.output.split(separator: "\n")
        #expect(lines.first == "/given")
        #expect(!lines.contains { $0.hasPrefix("HOME=") })
        #expect(lines.contains("PATH=/given"))
        #expect(ran.header.contains("the variable HOME holds a secret and is not passed on; "))
        #expect(!ran.header.contains("the variable PATH"))
    }

    @Test func `only a variable that the command mentions is said to be missing`() async throws {
        let worker = LocalWorker(root: "/tmp", withholding: ["TOKEN", "TOKEN_2", "KEY"])
        for (line, names) in [
            ("echo $TOKEN", ["TOKEN"]), ("echo ${TOKEN_2:-x}", ["TOKEN_2"]), ("echo KEY", []),
            ("echo $TOKEN_3 $$KEYS", []), ("echo \"$KEY-${TOKEN}\"", ["KEY", "TOKEN"]),
        ] {
            var ran = Ran()
            _ = try await worker.run(.shell(.init(.script(line), in: "/tmp"))) { ran.take($0) }
            let said = ran.header.matches(of: /the variable (\w+) holds/).map { String($0.1) }
            #expect(said == names, "\(line)")
        }
    }

    @Test func `a program is found in the PATH it gets`() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("#!/bin/sh\necho found\n", to: "only-here", isExecutable: true)
            let ran = try await Ran.shell(["only-here"]) { $0.environment = ["PATH": folder.path] }
            #expect(ran.output == "found\n")
            let local = try await Ran.shell(["./only-here"], in: folder.path)
            #expect(local.output == "found\n")
            let relative = try await Ran.shell(["only-here"], in: folder.path) {
                $0.environment = ["PATH": "/nowhere:."]
            }
            #expect(relative.output == "found\n")
        }
    }

    @Test func `standard input is empty unless it is given`() async throws {
        #expect(try await Ran.shell(["cat"]).output.isEmpty)
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try await Ran.shell(["cat"]) { $0.stdin = bytes }.stdout == bytes)
        #expect(try await Ran.shell(["true"]) { $0.stdin = bytes }.result.isSuccess)
    }

    @Test func `bytes of every value come through in order`() async throws {
        let script = "import os\nfor i in range(4000): os.write(1, bytes(range(256)))"
        let ran = try await Ran.shell(["python3", "-c", script])
        #expect(ran.stdout == (0..<1_024_000).map { UInt8(truncatingIfNeeded: $0) })
    }

    @Test func `each stream keeps its order when both are written`() async throws {
        let ran = try await Ran.shell(
            "i=0; while [ $i -lt 3000 ]; do echo $i; echo $i >&2; i=$((i+1)); done")
        let expected = (0..<3000).map { "\($0)\n" }.joined()
        #expect(ran.output == expected)
        #expect(ran.errors == expected)
    }

    @Test func `merged streams keep the order in which both were written`() async throws {
        let ran = try await Ran.shell(
            "i=0; while [ $i -lt 3000 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done"
        ) { $0.mergesStreams = true }
        #expect(ran.output == (0..<3000).map { "o\($0)\ne\($0)\n" }.joined())
        #expect(ran.errors == "")
    }

    @Test func `a stream that is not wanted is dropped`() async throws {
        let ran = try await Ran.shell("yes | head -c 3000000; echo err >&2") {
            $0.wantsStdout = false
        }
        #expect(ran.stdout.isEmpty)
        #expect(ran.errors == "err\n")
    }

    @Test func `a child gets no signal settings, files or terminal of ours`() async throws {
        let ran = try await Ran.shell(
            "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls -l /proc/self/fd; tty")
        let masks = ran.output.matches(of: /Sig(?:Blk|Ign):\t([0-9a-f]{16})/)
        #expect(masks.count == 2)
        // Nobody can set signals 32 and 33, which are reserved by the C library.
        for mask in masks { #expect(try #require(UInt64(mask.1, radix: 16)) & 0x7FFF_FFFF == 0) }
        let files = ran.output.split(separator: "\n").filter { $0.contains(" -> ") }
        #expect(files.count == 4, "0, 1, 2 and the folder that ls reads: \(files)")
        #expect(files.first?.hasSuffix("/dev/null") == true)
        let session = try await Ran.shell("echo $$; ps -o sid= -p $$")
        #expect(Set(session.processes).count == 1)
        #expect(session.processes.first != getsid(0))
    }

    @Test func `a program that closes its streams and goes on is waited for`() async throws {
        let ran = try await Ran.shell("exec >&- 2>&-; sleep 0.2; exit 7")
        #expect(ran.result.ending == .exited(code: 7))
        #expect(ran.result.elapsed >= .milliseconds(200))
    }
}
