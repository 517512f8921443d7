import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

@Suite(.timeLimit(.minutes(2)))
struct RunCommandTests {
    /// A file with one step that runs a shell command, and a reporter if a URL is given.
    private func file(_ command: String, reportingTo url: String? = nil) -> String {
        let services = url.map { "services:\n  - reporters.HttpStatusPush: \($0)/status\n" } ?? ""
        return services + "steps:\n  - steps.ShellCommand: {name: work, command: \"\(command)\"}\n"
    }

    private func run(_ file: String, _ arguments: String...) async throws -> Program.Ended {
        try await Program.inFolder(["master.yaml": file]) { program in
            try await program.run(["run"] + arguments) { _ in }
        }
    }

    @Test func `a successful build ends with 0, a line a transition and a table`() async throws {
        let ended = try await run(file("true"))
        #expect(ended.status == 0)
        let lines = ended.output.split(separator: "\n").map(String.init)
        #expect(lines.first == "default #1  started")
        #expect(lines.contains("default #1  1 work  started"))
        #expect(lines.contains { $0.hasPrefix("default #1  1 work  success  ") })
        #expect(lines.contains { $0.hasPrefix("✓ default #1  success  ") })
        #expect(lines.contains { $0.hasPrefix("✓ default #1") && $0.hasSuffix("  1 step") })
        #expect(lines.last?.hasPrefix("success: 1 build in ") == true)
        #expect(!ended.output.contains("\u{1B}"))
        #expect(ended.error == "")
    }

    @Test func `a failing step ends with 1 and shows the end of its log`() async throws {
        let ended = try await run(file("echo the reason; exit 3"))
        #expect(ended.status == 1)
        #expect(ended.output.contains("    .buildmaster/logs/default/1/1-work-stdio.log\n"))
        #expect(ended.output.contains("  | the reason\n"))
        #expect(ended.output.contains("\nfailure: 1 build in "))
    }

    @Test func `a failure shows its output in the order written, and what was not reached`()
        async throws
    {
        let file = """
            builders:
              - name: good
                steps: [steps.ShellCommand: {name: fine, command: echo quiet}]
              - name: bad
                steps:
                  - steps.Compile:
                      name: compile
                      command: "for i in 1 2 3; do echo out$i; echo error: $i >&2; done; kill -9 $$"
                  - steps.Test: {name: test, command: 'true'}
                  - steps.ShellCommand: {name: tidy, command: 'true', alwaysRun: true}
            """
        let ended = try await run(file)
        let shown = ended.output.split(separator: "\n\n").last { $0.contains("not reached") }
        let lines = (shown ?? "").split(separator: "\n").map(String.init)
        #expect(lines.count == 12, "\(ended.output)")
        #expect(lines.first?.hasPrefix("✗ bad #1") == true)
        #expect(lines.dropFirst().first?.hasSuffix(": killed by signal 9 (SIGKILL)") == true)
        #expect(
            lines.dropFirst(2).prefix(7).map { $0.trimmingPrefix("    | ") } == [
                "out1", "error: 1", "out2", "error: 2", "out3", "error: 3",
                "process killed by signal 9 (SIGKILL)",
            ])
        #expect(lines.contains("  ○ not reached: test"))
        #expect(lines.last?.hasPrefix("✓ good #1") == true)
        #expect(!lines.contains { $0.contains("tidy") || $0.contains("quiet") })
    }

    @Test func `only the log of the last try is shown`() async throws {
        let file = """
            steps:
              - steps.ShellCommand:
                  command: "echo x >> tries; echo try $(wc -l < tries); exit 1"
                  retry: {attempts: 3, backoff: 1ms}
            """
        let ended = try await run(file)
        #expect(ended.output.contains("| try 3\n"))
        #expect(!ended.output.contains("| try 2\n"))
    }

    @Test func `GitHub gets a group and annotations, and output can't give it commands`()
        async throws
    {
        let file = file("echo ::error::injected; echo '##[error]injected'; exit 3")
        try await Program.inFolder(["master.yaml": file]) { program in
            var program = program
            program.environment["GITHUB_ACTIONS"] = "true"
            let ended = try await program.run("run", "--verbose")
            let lines = ended.output.split(separator: "\n").map(String.init)
            #expect(lines.first == "::group::builds")
            #expect(lines.contains("::endgroup::"))
            let commands = lines.filter { $0.drop(while: \.isWhitespace).hasPrefix("::") }
            #expect(
                commands.last?.hasPrefix("::error title=default #1 work::'echo ::error") == true)
            #expect(commands.count == 3)
            #expect(!ended.output.contains("##["))
        }
    }

    @Test func `GitLab gets a section`() async throws {
        try await Program.inFolder(["master.yaml": file("true")]) { program in
            var program = program
            program.environment["GITLAB_CI"] = "true"
            let ended = try await program.run("run")
            #expect(ended.output.hasPrefix("\u{1B}[0Ksection_start:"))
            #expect(ended.output.contains("\u{1B}[0Ksection_end:"))
        }
    }

    @Test func `a wrong file ends with 2 and builds nothing`() async throws {
        let ended = try await run("steps: [steps.Nonsense]")
        #expect(ended.status == 2)
        #expect(ended.output == "")
        #expect(ended.error.contains("master.yaml:1:9: error: "))
    }

    @Test func `an unknown builder ends with 64 and names those that are there`() async throws {
        let ended = try await run(file("true"), "defualt")
        #expect(ended.status == 64)
        #expect(ended.error.contains("there is no builder 'defualt'; did you mean 'default'?"))
    }

    @Test func `only the named builders run`() async throws {
        let builders = """
            builders:
              - {name: one, steps: []}
              - {name: two, steps: []}
              - {name: three, steps: []}
            """
        let ended = try await run(builders, "three", "one", "--jobs", "1")
        #expect(ended.output.contains("one #1  success"))
        #expect(ended.output.contains("three #1  success"))
        #expect(!ended.output.contains("two #1"))
    }

    @Test func `reports arrive, and the table says with which answer`() async throws {
        let server = try LoopbackServer { _ in .respond(status: 202) }
        let ended = try await run(file("true", reportingTo: server.url))
        #expect(ended.status == 0)
        #expect(server.requests.map { $0.target } == ["/status", "/status"])
        #expect(ended.output.contains("default #1 started  \(server.url)/status  202\n"))
        #expect(ended.output.contains("default #1 success  \(server.url)/status  202\n"))
        #expect(ended.output.contains(", 2 reports delivered\n"))
    }

    @Test func `what did not arrive is said, kept, and sent by the next run`() async throws {
        let server = try LoopbackServer { _ in .respond() }
        let url = server.url
        try await Program.inFolder(["master.yaml": file("true", reportingTo: url)]) { program in
            await server.stop()
            let first = try await program.run("run", "--drain", "0")
            #expect(first.status == 0)
            #expect(first.error.contains("nothing listens at \(url.dropFirst(7))"))
            let option = "--receiver=\(url.dropFirst(7))"
            #expect(
                first.output.hasSuffix(
                    "2 reports kept for the next run; add \(option) to see them\n"))
            let second = try await program.run("run", option)
            #expect(second.status == 0)
            #expect(second.output.contains(", 4 reports delivered\n"))
        }
    }

    @Test func `the receiver shows each request in short`() async throws {
        try await Program.inFolder { program in
            let port = try await freePort()
            let url = "http://127.0.0.1:\(port)"
            try program.write(file("true", reportingTo: url), to: "master.yaml")
            let ended = try await program.run("run", "--receiver=127.0.0.1:\(port)")
            #expect(ended.status == 0)
            #expect(ended.output.hasPrefix("receiver listening on \(url)/\n"))
            #expect(ended.output.contains("→ #1 POST /status  application/json  "))
            #expect(ended.output.contains("      \"state_string\": \"build successful\","))
        }
    }

    @Test func `a port that is taken ends with 1 before anything runs`() async throws {
        let server = try LoopbackServer { _ in .respond() }
        let ended = try await run(file("true"), "--receiver=\(server.url.dropFirst(7))")
        #expect(ended.status == 1)
        #expect(ended.output == "")
        #expect(ended.error.hasPrefix("error: the receiver cannot listen on "))
    }

    @Test func `a folder that cannot be used is one sentence that names the option`() async throws {
        try await Program.inFolder(["master.yaml": file("true"), "taken": ""]) { program in
            let ended = try await program.run("run", "--basedir", "taken")
            #expect(ended.status == 1)
            #expect(ended.output == "")
            #expect(ended.error.hasPrefix("error: "))
            #expect(ended.error.hasSuffix("name another one with --basedir\n"))
            #expect(ended.error.split(separator: "\n").count == 1)
        }
    }

    @Test func `wrong secrets look like those that a check finds`() async throws {
        let header = "url: \"http://127.0.0.1/\", headers: {X-Key: !Secret"
        let file = """
            secrets: [secrets.Environment]
            steps:
              - steps.POST: {\(header) no_such_key}}
              - steps.POST: {\(header) short}}
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            var program = program
            program.environment["short"] = "ab"
            let check = try await program.run("check", "--secrets")
            let ended = try await program.run("run")
            #expect(ended.status == 2)
            #expect(ended.output == "")
            #expect(ended.error == check.output)
            #expect(ended.error.hasPrefix("master.yaml:3:"))
            #expect(ended.error.hasSuffix("^~~~~~~~~~~~~\n2 errors in master.yaml\n"))
        }
    }

    @Test func `a short secret is warned about at its place, and used`() async throws {
        let file = """
            secrets: [secrets.Environment]
            steps:
              - steps.ShellCommand: [echo, !Secret pin]
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            var program = program
            program.environment["pin"] = "123456"
            let check = try await program.run("check", "--secrets")
            let ended = try await program.run("run", "--verbose")
            #expect(ended.status == 0)
            #expect(ended.output.contains("  | <pin>\n"))
            #expect(ended.error.hasPrefix("master.yaml:3:32: warning: the secret 'pin' has only 6"))
            #expect(check.output.hasPrefix(ended.error.prefix(120)))
        }
    }

    @Test func `a store that fails is said once, and that the run is over`() async throws {
        let file = file("prlimit --pid $MASTER --fsize=1")
        let command = "trap '' XFSZ; MASTER=$$ exec \(Program.path) run"
        try await Program.inFolder(["master.yaml": file]) { program in
            let ended = try await program.run(["-c", command], executable: "/bin/bash") { _ in }
            #expect(ended.status == 1)
            let last = ended.output.split(separator: "\n").last
            #expect(last?.hasPrefix("failure: aborted after ") == true)
            let reasons = ended.error.split(separator: "\n").filter { $0.contains(".sqlite") }
            #expect(reasons.count == 1)
        }
    }

    @Test func `a receiver that hangs holds the end back no longer than was asked for`()
        async throws
    {
        let server = try LoopbackServer { _ in .hang }
        let start = ContinuousClock.now
        let ended = try await run(file("true", reportingTo: server.url), "--drain", "500ms")
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(ended.status == 0)
        #expect(ended.output.contains("default #1 started  "))
        #expect(ended.output.contains("2 reports kept for the next run; to see them: "))
        await server.stop()
    }

    @Test func `quiet leaves the outcome and what went wrong`() async throws {
        let good = try await run(file("true"), "--quiet")
        #expect(good.output.split(separator: "\n").count == 1)
        let bad = try await run(file("echo the reason; exit 1"), "--quiet")
        #expect(bad.output.contains("  | the reason\n"))
        #expect(!bad.output.contains("started"))
    }

    @Test func `verbose shows output as it comes`() async throws {
        let ended = try await run(file("echo a word"), "--verbose")
        #expect(ended.output.contains("default #1  1 work  | a word\n"))
    }

    @Test func `properties, owner, reason and source reach the report`() async throws {
        let server = try LoopbackServer { _ in .respond() }
        let ended = try await run(
            file("true", reportingTo: server.url), "-p", "text=1.10", "-p", "list:=[1, two]",
            "--owner", "me", "--reason", "because", "--branch", "main", "--revision", "abc",
            "--repository", "https://example.com/r", "--codebase", "c", "--project", "p")
        #expect(ended.status == 0)
        let body = try JSONValue(parsing: try #require(server.requests.first).body)
        #expect(body["properties"]?["text"]?[0] == "1.10")
        #expect(body["properties"]?["list"]?[0] == [1, "two"])
        #expect(body["properties"]?["owner"]?[0] == "me")
        #expect(body["buildset"]?["reason"] == "because")
        let stamp = body["buildset"]?["sourcestamps"]?[0]
        #expect(stamp?["branch"] == "main")
        #expect(stamp?["revision"] == "abc")
        #expect(stamp?["repository"] == "https://example.com/r")
        #expect(stamp?["codebase"] == "c")
        #expect(stamp?["project"] == "p")
    }

    @Test func `build numbers go on over runs, in the folder that was asked for`() async throws {
        try await Program.inFolder(["master.yaml": file("true")]) { program in
            _ = try await program.run("run", "--basedir", "kept")
            let second = try await program.run("run", "--basedir", "kept")
            #expect(second.output.contains("default #2  success"))
            #expect(!FileManager.default.fileExists(atPath: program.folder + "/.buildmaster"))
        }
    }

    @Test func `a reader that goes away does not stop the build`() async throws {
        let command = "\(Program.path) run | head -n 1; echo ${PIPESTATUS[0]}"
        try await Program.inFolder(["master.yaml": file("sleep 0.2; echo x > done")]) { program in
            let ended = try await program.run(["-c", command], executable: "/bin/bash") { _ in }
            #expect(ended.output == "default #1  started\n0\n")
            #expect(FileManager.default.fileExists(atPath: program.folder + "/done"))
            #expect(ended.error == "")
        }
    }

    @Test func `a terminal gets a tree that is drawn over and then stays`() async throws {
        try await Program.inFolder(["master.yaml": file("sleep 0.5")]) { program in
            var program = program
            program.environment["TERM"] = "xterm"
            let ended = try await program.run(
                ["-qec", "\(Program.path) run", "/dev/null"], executable: "/usr/bin/script"
            ) { _ in }
            #expect(ended.output.contains("\u{1B}[A\r\u{1B}[2K"))
            #expect(!ended.output.contains("\u{1B}[J"))
            #expect(ended.output.contains("\u{1B}[36m●\u{1B}[0m \u{1B}[1mdefault #1\u{1B}[0m"))
            #expect(ended.output.contains("\u{1B}[1m✓ default #1\u{1B}[0m"))
            #expect(!ended.output.contains("default #1  started"))
        }
    }

    /// Returns a local port that was free a moment ago.
    private func freePort() async throws -> Int {
        let server = try LoopbackServer { _ in .respond() }
        await server.stop()
        return server.port
    }
}
