import Testing

@Suite(.timeLimit(.minutes(2)))
struct UsageTests {
    @Test(arguments: [[], ["--help"], ["help"]])
    func `help teaches what a newcomer needs`(arguments: [String]) async throws {
        let ended = try await Program.inFolder { try await $0.run(arguments) { _ in } }
        #expect(ended.status == 0)
        #expect(ended.output.contains("- steps.ShellCommand: echo hello"))
        #expect(ended.output.contains("buildmaster run --receiver"))
        #expect(ended.error == "")
    }

    @Test(arguments: ["run", "check", "receive"])
    func `help of a subcommand has examples`(command: String) async throws {
        let ended = try await Program.inFolder { try await $0.run(command, "--help") }
        #expect(ended.status == 0)
        #expect(ended.output.contains("Examples:\n\n  buildmaster \(command)\n"))
    }

    @Test func `the help tells that two TERM within a second count once`() async throws {
        for (command, words) in [
            ("run", "a second TERM that comes a second or more after the first"),
            ("start", "unless it is a SIGTERM within a second of the first"),
        ] {
            let ended = try await Program.inFolder { try await $0.run(command, "--help") }
            let text = ended.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(text.contains(words))
        }
    }

    @Test(arguments: [
        ["bogus"], ["run", "--bogus"], ["run", "-p", "bogus"], ["run", "bogus"],
        ["run", "--tag", "bogus"], ["run", "--jobs", "bogus"], ["run", "--basedir", "bogus"],
    ])
    func `a huge argument is not repeated whole`(_ arguments: [String]) async throws {
        let huge = String(repeating: "x", count: 100_000)
        let ended = try await Program.inFolder { folder in
            try await folder.run(arguments.map { $0.replacing("bogus", with: huge) }) { _ in }
        }
        #expect(ended.status != 0)
        #expect(ended.output == "")
        #expect((100..<4000).contains(ended.error.utf8.count), "\(ended.error.prefix(200))")
    }

    @Test func `the version is a number`() async throws {
        let ended = try await Program.inFolder { try await $0.run("--version") }
        #expect(ended.status == 0)
        #expect(ended.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }

    @Test(arguments: [
        (["bogus"], "there is no command 'bogus'; there are init, run, start, "),
        (["chek"], "there is no command 'chek'; did you mean 'check'?"),
        (
            ["create-master", "m"],
            "there is no command 'create-master'; 'init' writes a master.yaml"
        ),
        (["sighup"], "there is no command 'sighup'; write 'reconfig'"),
        (["start", "m"], "'start' takes no 'm'; name the folder of the builds with --basedir"),
        (["run", "--bogus", "start"], "--bogus"),
        (["run", "--bogus"], "--bogus"),
        (["run", "--jobs", "0"], "--jobs 0: use a number from 1 to 1024"),
        (["run", "--jobs", "many"], "many"),
        (["run", "--drain", "soon"], "soon"),
        (["run", "-p", "novalue"], "NAME=VALUE"),
        (["run", "-p", "n:=[1"], "not a YAML value"),
        (["run", "-p", "n:=0123"], "-p n:=0123: the number 0123 is sent as 123 in JSON"),
        (["run", "-p", "n:=0x1F"], "-p n:=0x1F: the number 0x1F is sent as 31 in JSON"),
        (["run", "--quiet", "--verbose"], "contradict"),
        (["run", "--receiver", "127.0.0.1:7000"], "--receiver=127.0.0.1:7000"),
        (["run", "--receiver=a:b:c"], "a:b:c"),
        (["start", "--basedir", ""], "--basedir '': name a folder, or omit the option"),
        (["start", "-c", ""], "-c '': name a file, or omit the option"),
        (["check", "--format", "xml"], "xml"),
        (["receive", "--status", "42"], "--status 42: use a status code from 200 to 599"),
        (["receive", "nowhere:port"], "nowhere:port"),
    ])
    func `a wrong argument is named and ends with 64`(
        arguments: [String], message: String
    ) async throws {
        let ended = try await Program.inFolder { try await $0.run(arguments) { _ in } }
        #expect(ended.status == 64)
        #expect(ended.output == "")
        #expect(ended.error.contains(message))
        #expect(ended.error.hasPrefix("error: "))
    }

    @Test(arguments: [
        ["-j4"], ["-j1", "-fother.yaml"], ["-cother.yaml", "-px=1"], ["-j=2", "-p=x=1"],
    ])
    func `a value may be joined to its option`(arguments: [String]) async throws {
        let file = "properties: {x: 2}\nsteps: [steps.ShellCommand: [test, !Property x, -gt, '0']]"
        try await Program.inFolder(["master.yaml": file, "other.yaml": file]) { program in
            let preview = try await program.run(["run", "--dry-run"] + arguments) { _ in }
            let value = arguments.contains { $0.hasSuffix("x=1") } ? 1 : 2
            #expect(preview.status == 0)
            #expect(preview.output.contains("[\"test\",\(value),"), "\(preview)")
        }
    }

    @Test func `plugins are listed with what they do`() async throws {
        let ended = try await Program.inFolder { try await $0.run("plugins", "list") }
        #expect(ended.status == 0)
        let lines = ended.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("reporters.HttpStatusPush  ") })
        #expect(lines.contains { $0.hasPrefix("steps.POST  ") })
        #expect(lines == lines.sorted())
    }
}
