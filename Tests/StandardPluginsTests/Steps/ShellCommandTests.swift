import FoundationEssentials
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

struct ShellCommandTests {
    private func run(
        _ yaml: String, properties: JSONObject = [:], environment: [String: String?] = [:]
    ) async throws -> (results: Results, harness: StepHarness) {
        let harness = try StepHarness(
            properties: properties, worker: LocalWorker(root: "/"), workdir: "/tmp",
            environment: environment)
        let step = try ShellCommand.configured(yaml: yaml)
        return (try await harness.run(step), harness)
    }

    @Test func `output goes into the log with what is said about the command`() async throws {
        let (results, harness) = try await run("[sh, -c, 'echo one; echo two >&2']")

        #expect(results == .success)
        let log = try #require(harness.log("stdio"))
        #expect(log.lines.first == "hsh -c 'echo one; echo two >&2'")
        #expect(log.lines.dropFirst().first == "h in dir /tmp (timeout 1200 secs)")
        #expect(log.lines.contains("oone"))
        #expect(log.lines.contains("otwo"))
        #expect(log.lines.contains("hprogram finished with exit code 0"))
        #expect(log.lines.last?.hasPrefix("helapsedTime=") == true)
        #expect(harness.logs.count == 1)
    }

    @Test(arguments: [
        ("'true'", "'true'"),
        ("[ls, /]", "'ls /'"),
        ("[sh, -c, 'true']", "'true'"),
        ("[/bin/sh, -ec, 'echo a b']", "'echo a ...'"),
        ("[/usr/bin/env, -i, printf, x]", "'env -i printf ...'"),
        ("echo  a   b", "'echo a ...'"),
        ("[[sh, [-c]], 'true']", "'true'"),
    ])
    func `the state is the words of the command that tell what it does`(
        _ command: String, _ state: String
    ) async throws {
        let (results, harness) = try await run("command: \(command)")
        #expect(results == .success)
        #expect(harness.summaries == [state])
    }

    @Test(arguments: [
        ("exit 0", "{}", Results.success),
        ("exit 1", "{}", .failure),
        ("exit 3", "{decodeRC: {0: success, 3: warnings}}", .warnings),
        ("exit 4", "{decodeRC: {0: success, 3: warnings}}", .failure),
        ("exit 0", "{decodeRC: {0: 2, 1: 0}}", .failure),
        ("exit 1", "{decodeRC: {0: 2, 1: 0}}", .success),
        ("exit 5", "{decodeRC: {0: success, 5: skipped}}", .skipped),
        ("kill -9 $$", "{decodeRC: {0: success, 137: success}}", .failure),
    ])
    func `exit codes stand for results`(
        _ command: String, _ settings: String, _ expected: Results
    ) async throws {
        let more = settings.dropFirst().dropLast()
        let (results, harness) = try await run("{command: \(command), \(more)}")
        #expect(results == expected)
        #expect(!harness.hasTimedOut)
    }

    @Test func `a command that says nothing for too long is ended`() async throws {
        let (results, harness) = try await run("{command: 'sleep 60 & sleep 60', timeout: 0.2}")

        #expect(results == .failure)
        #expect(harness.hasTimedOut)
        #expect(harness.summary == "'sleep 60 ...': no output for 0.2 seconds")
    }

    @Test func `the environment is that of the builder with the step's own over it`() async throws {
        let (_, harness) = try await run(
            """
            command: 'echo "$A-$B-${C-unset}-$D"'
            env: {B: step, C: null, D: [x, !Property p]}
            """, properties: ["p": "y"],
            environment: ["A": "builder", "B": "builder", "C": "builder"])

        #expect(harness.log("stdio")?.lines.contains("obuilder-step-unset-x:y") == true)
    }

    @Test(arguments: ["[no-such-program-here]", "{command: [/etc/passwd]}"])
    func `a program that can't be run is a failure with its reason`(_ yaml: String) async throws {
        let (results, harness) = try await run(yaml)

        #expect(results == .failure)
        #expect(harness.log("stdio")?.lines.last?.hasPrefix("e") == true)
    }

    @Test func `arguments are rendered`() async throws {
        let (results, harness) = try await run(
            "[echo, !Property a, !Interpolate 'b=%(prop:b)s', [!Property c]]",
            properties: ["a": 1.5, "b": "x y", "c": ["d", "e"]])

        #expect(results == .success)
        #expect(harness.log("stdio")?.lines.contains("o1.5 b=x y d e") == true)
    }

    @Test func `a missing property is no argument`() async throws {
        let error = await #expect(throws: RenderError.self) {
            try await run("[echo, !Property missing]")
        }
        #expect(
            error?.message.hasPrefix(
                "missing is not set; 'command' of steps.ShellCommand needs this property") == true)
    }

    @Test func `stopping the build ends the command`() async throws {
        let harness = try StepHarness(worker: LocalWorker(root: "/"))
        let step = try ShellCommand.configured(yaml: "echo begun; sleep 60")
        let run = Task { try await harness.run(step) }
        await harness.waitForLine("obegun", in: "stdio")
        run.cancel()

        let outcome = await run.result
        #expect(throws: CancellationError.self) { try outcome.get() }
    }

    @Test func `much output is neither lost nor torn`() async throws {
        let (_, harness) = try await run("seq 1 200000")
        let lines = try #require(harness.log("stdio")).lines.filter { $0.hasPrefix("o") }
        #expect(lines.count == 200_000)
        #expect(lines.last == "o200000")
    }

    @Test(arguments: [
        ("exit 2", "'exit 2': exit 2"),
        ("kill -9 $$", "'kill -9 $$': killed by signal 9 (SIGKILL)"),
        ("[no-such-program-here]", "'no-such-program-here': program not found"),
        ("{command: [/etc/passwd]}", "'/etc/passwd': program not executable"),
        ("{command: yes, max_lines: 3}", "'yes': more than 3 lines of output"),
        ("{command: exit 3, decodeRC: {0: success, 3: warnings}}", "'exit 3': exit 3"),
    ])
    func `the state says what went wrong`(_ yaml: String, _ text: String) async throws {
        #expect(try await run(yaml).harness.summary == text)
    }

    @Test func `a line is run by the shell that is given`() async throws {
        let strict = "shell: [bash, -euo, pipefail, -c]"
        for (command, expected) in [("false; true", Results.failure), ("false | true", .failure)] {
            #expect(try await run("{command: '\(command)', \(strict)}").results == expected)
            #expect(try await run("{command: '\(command)'}").results == .success)
        }
        #expect(throws: ConfigurationError.self) {
            try ShellCommand.configured(yaml: "{command: [a], \(strict)}")
        }
    }

    @Test func `a command reads the input that is given, and else nothing`() async throws {
        let (_, given) = try await run(
            "{command: cat, initialStdin: !Property p}", properties: ["p": "in\n"])
        #expect(given.log("stdio")?.lines.contains("oin") == true)
        let (results, _) = try await run("{command: cat, timeout: 60}")
        #expect(results == .success)
    }

    @Test(arguments: [("want_stdout", "oout"), ("want_stderr", "eerr")])
    func `a stream that is not wanted is not in the log`(
        _ setting: String, _ line: String
    ) async throws {
        let (_, harness) = try await run("{command: 'echo out; echo err >&2', \(setting): false}")
        let lines = try #require(harness.log("stdio")).lines
        #expect(!lines.contains(line))
        #expect(lines.contains(line == "oout" ? "eerr" : "oout"))
    }

    @Test func `the lines of both streams are in the log in the order written`() async throws {
        let script = "for i in 1 2 3; do echo out$i; echo err$i >&2; done"
        let order = ["out1", "err1", "out2", "err2", "out3", "err3"]
        let (_, merged) = try await run("{command: '\(script)', max_lines: 6}")
        let lines = try #require(merged.log("stdio")).lines
        #expect(lines.filter { !$0.hasPrefix("h") } == order.map { "o" + $0 })
        let (_, separate) = try await run("{command: '\(script)', streams: separate}")
        #expect(separate.log("stdio")?.lines.contains("eerr2") == true)
        let (results, limited) = try await run("{command: '\(script)', max_lines: 5}")
        #expect(results == .failure)
        #expect(limited.log("stdio")?.lines.contains("oerr3") == true)
    }

    @Test(arguments: [
        ("streams: merged, want_stderr: false", "merged streams can't be kept in part"),
        ("streams: separate, usePTY: true", "'usePTY' gives the command one terminal"),
        ("streams: both", "'both'"),
    ])
    func `settings for streams that contradict each other are wrong`(
        _ settings: String, _ words: String
    ) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Compile.configured(yaml: "{command: 'true', \(settings)}")
        }
        #expect("\(error)".contains(words))
    }

    @Test func `the environment is in the log when that is wanted`() async throws {
        let (_, harness) = try await run("{command: 'true', env: {A_B: c}, logEnviron: true}")
        #expect(harness.log("stdio")?.lines.contains("h  A_B=c") == true)
    }

    @Test func `a log file is followed while the command writes it`() async throws {
        try await StepFolder.with { folder in
            try folder.write("old\n", to: "work/build/b.log")
            let harness = try StepHarness(
                worker: LocalWorker(root: folder.root), workdir: folder.workdir)
            let step = try ShellCommand.configured(
                yaml: """
                    command: echo begun > a.log; until [ -e go ]; do sleep 0.05; done; echo end >> a.log; echo new >> b.log
                    logfiles: {a: a.log, b: {filename: b.log, follow: true}, c: none.log}
                    """)
            let run = Task { try await harness.run(step) }
            await harness.waitForLine("obegun", in: "a")
            try folder.write("", to: "work/build/go")
            #expect(try await run.value == .success)
            #expect(harness.log("a")?.lines == ["obegun", "oend"])
            #expect(harness.log("b")?.lines == ["onew"])
            #expect(harness.log("c") == nil)
        }
    }

    @Test func `with a terminal both streams are one`() async throws {
        let (results, harness) = try await run(
            "{command: 'test -t 1 && test -t 2 && echo out && echo err >&2', usePTY: true}")
        #expect(results == .success)
        let lines = try #require(harness.log("stdio")).lines
        #expect(lines.filter { $0.hasPrefix("o") } == ["oout", "oerr"])
    }

    @Test(arguments: [
        ("", "TERM"), ("interruptSignal: INT", "INT"), ("interruptSignal: SIGQUIT", "QUIT"),
        ("sigtermTime: 20", "TERM"), ("{sigtermTime: 0.1, interruptSignal: INT}", "TERM INT"),
    ])
    func `a command is ended by the signals that are given`(
        _ settings: String, _ signals: String
    ) async throws {
        let more = settings.trimmingPrefix("{").replacing("}", with: "")
        let script =
            "trap 'echo TERM; [ \"$1\" ] || exit' TERM; trap 'echo INT; exit' INT; "
            + "trap 'echo QUIT; exit' QUIT; while :; do sleep 0.05; done"
        let stays = signals.contains(" ") ? "x" : ""
        let command = JSONValue.array(["sh", "-c", .string(script), "sh", .string(stays)])
        let (results, harness) = try await run(
            """
            {command: \(command), streams: separate, timeout: 0.5\(more.isEmpty ? "" : ", " + more)}
            """)
        #expect(results == .failure)
        let lines = try #require(harness.log("stdio")).lines.filter { $0.hasPrefix("o") }
        // A process gets a signal as one of its group and as itself.
        let distinct = lines.enumerated().filter { $0 == 0 || lines[$0 - 1] != $1 }
        #expect(distinct.map { $1.dropFirst() }.joined(separator: " ") == signals)
    }

    @Test func `lines beyond the limit are dropped but for one`() async throws {
        let (results, harness) = try await run("{command: seq 100000, max_lines: 3}")
        #expect(results == .failure)
        #expect(!harness.hasTimedOut)
        let lines = try #require(harness.log("stdio")).lines
        #expect(lines.filter { $0.hasPrefix("o") } == ["o1", "o2", "o3", "o4"])
        #expect(lines.contains { $0.contains("more than 3 lines, its max_lines") })
        #expect(try await run("{command: seq 3, max_lines: 3}").results == .success)
    }
}
