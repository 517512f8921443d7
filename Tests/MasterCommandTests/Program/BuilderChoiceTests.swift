import MasterKit
import Subprocess
import Testing

/// Which builders, properties and steps a run takes.
@Suite(.timeLimit(.minutes(2)))
struct BuilderChoiceTests {
    private static let file = """
        properties: {level: 3, verbose: false, paths: [a], none: null}
        factories:
          chosen:
            parameters:
              config: {default: debug, choices: [debug, release, 1.10]}
              jobs: {default: 2}
            steps:
              - steps.ShellCommand: {name: compile, command: [echo, !Property config, !Property jobs]}
              - steps.ShellCommand: {name: test, command: [echo, !Property verbose]}
              - steps.ShellCommand: {name: cleanup, command: "true", alwaysRun: true}
        builders:
          - {name: linux-a, factory: chosen, tags: [fast], description: Builds on A}
          - {name: linux-b, factory: {chosen: {config: release}}, tags: [slow, big]}
          - {name: docs, properties: {jobs: "2"}, tags: [fast], steps: [steps.ShellCommand: echo docs]}
          - {name: nightly, triggeredOnly: true, tags: [night], needs: linux-*, steps: []}
          - name: !Interpolate "m-%(prop:py)s"
            matrix: {py: ["3.9"], include: [{py: "3.10", extra: {a: 1}}]}
            steps: [steps.SetProperty: {property: seen, value: !Property {key: extra, default: none}}]
        """

    private func run(_ arguments: String..., file: String = Self.file) async throws -> Program.Ended
    {
        try await Program.inFolder(["master.yaml": file]) { program in
            try await program.run(["run"] + arguments) { _ in }
        }
    }

    /// The builders whose builds ended, in order.
    private func builders(_ ended: Program.Ended) -> [String] {
        ended.output.split(separator: "\n").filter { $0.hasPrefix("✓ ") || $0.hasPrefix("- ") }
            .compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
    }

    // MARK: Builders

    @Test(arguments: [
        (["linux-*"], ["linux-a", "linux-b"]),
        (["m-3.?", "docs"], ["m-3.9", "docs"]),
        (["linux-[!a]", "linux-a", "linux-a"], ["linux-b", "linux-a"]),
        (["--tag", "fast"], ["linux-a", "docs"]),
        (["--tag", "big", "--tag", "fast"], ["linux-a", "linux-b", "docs"]),
        (["linux-*", "--tag", "fast"], ["linux-a"]),
        (["nightly"], ["nightly"]),
        ([], ["linux-a", "linux-b", "docs", "m-3.9", "m-3.10"]),
    ])
    func `builders are chosen by name, pattern and tag`(
        arguments: [String], names: [String]
    ) async throws {
        let ended = try await Program.inFolder(["master.yaml": Self.file]) { program in
            try await program.run(["run", "-j", "1"] + arguments) { _ in }
        }
        #expect(ended.status == 0, "\(ended)")
        #expect(builders(ended) == names)
    }

    @Test(arguments: [
        (
            ["lx-*"],
            "no builder matches 'lx-*'; there are linux-a, linux-b, docs, nightly, m-3.9, m-3.10"
        ),
        (["linux-c?"], "no builder matches 'linux-c?'; did you mean 'linux-a'?"),
        (["docks"], "there is no builder 'docks'; did you mean 'docs'?"),
        (
            ["night*"],
            "the builders that match 'night*' are 'triggeredOnly'; name the one to be run, such as 'nightly'"
        ),
        (["--tag", "fsat"], "no builder has the tag 'fsat'; did you mean 'fast'?"),
        (
            ["--tag", "night"],
            "the builders with the tag 'night' are 'triggeredOnly'; name the one to be run, such as 'nightly'"
        ),
        (["docs", "--tag", "slow"], "none of the named builders has the tag 'slow'"),
        (["nope.yml"], "'nope.yml' is a file, not a builder; write 'buildmaster run -c nope.yml'"),
        (
            ["master.yaml"],
            "'master.yaml' is a file, not a builder; write 'buildmaster run -c master.yaml'"
        ),
    ])
    func `a choice that fits nothing is one sentence, and nothing runs`(
        arguments: [String], sentence: String
    ) async throws {
        let ended = try await Program.inFolder(["master.yaml": Self.file]) { program in
            try await program.run(["run"] + arguments) { _ in }
        }
        #expect(ended.status == 64)
        #expect(ended.output == "")
        #expect(ended.error == "error: \(sentence)\n")
    }

    @Test func `a file is named with -c or -f, and without one is explained`() async throws {
        try await Program.inFolder(["ci.yaml": "steps: []"]) { program in
            #expect(try await program.run("run", "-f", "ci.yaml").status == 0)
            let wrong = try await program.run("run", "ci.yaml")
            #expect(wrong.status == 64)
            #expect(wrong.error.contains("write 'buildmaster run -c ci.yaml'"))
        }
    }

    @Test func `builders are listed with what they are for, and nothing runs`() async throws {
        try await Program.inFolder(["master.yaml": Self.file]) { program in
            let all = try await program.run("run", "--list")
            #expect(all.status == 0)
            #expect(
                all.output == """
                    linux-a  factory chosen  fast                                              Builds on A
                    linux-b  factory chosen  slow, big
                    docs     1 step          fast
                    nightly  0 steps         night      triggeredOnly; needs linux-a, linux-b
                    m-3.9    1 step
                    m-3.10   1 step

                    """)
            let some = try await program.run("run", "--list", "--tag", "slow")
            #expect(some.output.hasPrefix("linux-b "))
            #expect(!program.has(".buildmaster"))
        }
    }

    // MARK: Properties

    @Test(arguments: [
        ("jobs=4", "linux-a", "command: [\"echo\",\"debug\",4]"),
        ("config=1.10", "linux-a", "command: [\"echo\",1.10,2]"),
        ("verbose=true", "linux-a", "command: [\"echo\",true]"),
        ("verbose:=yes", "linux-a", "command: [\"echo\",\"yes\"]"),
        ("jobs=4", "docs", "jobs: 4"),
        ("paths=[x, y]", "docs", "paths: [\"x\",\"y\"]"),
        ("none=text", "docs", "none: text"),
    ])
    func `a property has the type that the file declares`(
        argument: String, builder: String, line: String
    ) async throws {
        let ended = try await run(builder, "--dry-run", "-p", argument)
        #expect(ended.status == 0)
        #expect(ended.error == "")
        #expect(ended.output.contains("\(line)\n"), "\(ended.output)")
    }

    @Test(arguments: [
        (
            "jobs=four", "linux-a",
            "-p jobs: 'jobs' must be a number, as in the file, not 'four'; write jobs:=VALUE for a value of another type"
        ),
        (
            "verbose=TRUE", "docs",
            "-p verbose: 'verbose' must be true or false, as in the file, not 'TRUE'; write verbose:=VALUE for a value of another type"
        ),
        (
            "paths=x", "docs",
            "-p paths: 'paths' must be a list such as [a, b], as in the file, not 'x'; write paths:=VALUE for a value of another type"
        ),
        (
            "config=relese", "linux-a",
            "-p config: 'config' can't be 'relese'; did you mean 'release'?"
        ),
        (
            "config:=2", "linux-a",
            "-p config: 'config' can't be '2'; choose debug, release or 1.10"
        ),
        (
            "py=3.9", "m-*",
            "-p py: 'py' is an axis of the matrix of 'm-3.9' and can't be overridden; name the builders to be run instead"
        ),
        (
            "jobs=4", "*",
            "-p jobs: the builders declare 'jobs' with different types; write jobs:=VALUE for a YAML value"
        ),
    ])
    func `a property that does not fit is refused before anything runs`(
        argument: String, builder: String, sentence: String
    ) async throws {
        let ended = try await run(builder, "-p", argument)
        #expect(ended.status == 64)
        #expect(ended.output == "")
        #expect(ended.error == "error: \(sentence)\n")
    }

    @Test func `a property that nothing uses is a warning`() async throws {
        let ended = try await run(
            "linux-a", "-p", "confg=release", "-p", "extra=1", "-p", "owner=me")
        #expect(ended.status == 0)
        #expect(
            ended.error
                == "warning: -p confg: nothing in the file uses a property 'confg'; did you mean 'config'?\n"
        )
    }

    // MARK: Steps

    @Test(arguments: [
        (["--from", "test"], ["test", "cleanup"]),
        (["--until", "test"], ["compile", "test"]),
        (["--from", "test", "--until", "test"], ["test"]),
        (["--only", "c*"], ["compile", "cleanup"]),
        (["--only", "test", "--only", "compile"], ["compile", "test"]),
    ])
    func `a run takes some of the steps, which keep their numbers`(
        arguments: [String], steps: [String]
    ) async throws {
        let ended = try await Program.inFolder(["master.yaml": Self.file]) { program in
            try await program.run(["run", "linux-a"] + arguments) { _ in }
        }
        #expect(ended.status == 0)
        let numbers = ["compile": 1, "test": 2, "cleanup": 3]
        let started = ended.output.split(separator: "\n").filter { $0.hasSuffix("  started") }
        let expected = steps.map { "linux-a #1  \(numbers[$0] ?? 0) \($0)  started" }
        #expect(started.dropFirst().map(String.init) == expected)
    }

    @Test func `builders without the step are left out, which is said`() async throws {
        let ended = try await run("docs", "linux-*", "--only", "test", "-j", "1")
        #expect(ended.status == 0)
        #expect(ended.error == "note: left out, because they have no such step: docs\n")
        #expect(builders(ended) == ["linux-a", "linux-b"])
    }

    @Test(arguments: [
        (["--only", "tset"], "--only tset: there is no such step; did you mean 'test'?"),
        (["--from", "x"], "--from x: there is no such step; there are compile, test, cleanup"),
        (
            ["--from", "cleanup", "--until", "compile"],
            "--until compile: this step comes before 'cleanup', the one of --from"
        ),
    ])
    func `steps that are not there are one sentence`(
        arguments: [String], sentence: String
    ) async throws {
        let ended = try await Program.inFolder(["master.yaml": Self.file]) { program in
            try await program.run(["run", "linux-a"] + arguments) { _ in }
        }
        #expect(ended.status == 64)
        #expect(ended.output == "")
        #expect(ended.error == "error: \(sentence)\n")
    }

    @Test func `a dry run renders what it can, masks secrets and leaves nothing behind`()
        async throws
    {
        let file = """
            secrets:
              - secrets.Command: {command: [sh, -c, "touch asked; echo never-shown"]}
            steps:
              - steps.SetPropertyFromCommand: {command: "touch ran; echo 1", property: got}
              - steps.POST:
                  url: !Interpolate "http://127.0.0.1:1/%(prop:buildername)s"
                  headers: {Authorization: !Interpolate "Bearer %(secret:token)s"}
                  data: {revision: !Property got, number: !Template "{{ build.number }}", config: !Property config}
              - steps.ShellCommand: git ls-remote https://user:hunter2@host/repo
              - steps.ShellCommand: {name: never, command: touch ran, doStepIf: !Equal [!Property config, x]}
              - steps.ShellCommand: {name: perhaps, command: touch ran, doStepIf: !Equal [!Property got, x]}
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            let ended = try await program.run("run", "--dry-run", "-p", "config=debug")
            #expect(ended.status == 0)
            #expect(ended.error == "")
            #expect(
                ended.output == """
                    default  5 steps
                      config: debug
                      1 SetPropertyFromCommand  steps.SetPropertyFromCommand
                          command: touch ran; echo 1
                          property: got
                      2 POST  steps.POST
                          url: http://127.0.0.1:1/default
                          headers: {"Authorization":"Bearer <token>"}
                          data: {"revision":"!Property got","number":"!Template \\"{{ build.number }}\\"","config":"debug"}
                      3 ShellCommand  steps.ShellCommand
                          command: git ls-remote https://host/repo
                      4 never  steps.ShellCommand  skipped, as doStepIf is false
                      5 perhaps  steps.ShellCommand
                          command: touch ran
                          doStepIf: !Equal [!Property got, x]

                    """)
            for name in [".buildmaster", "ran", "asked"] { #expect(!program.has(name)) }
        }
    }

    @Test func `--failed runs the builders that did not succeed, with all their steps`()
        async throws
    {
        let file = """
            builders:
              - {name: good, steps: []}
              - {name: bad, steps: [steps.ShellCommand: "true", steps.ShellCommand: test -e mended]}
              - {name: after, needs: bad, steps: []}
              - {name: never, triggeredOnly: true, steps: []}
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            let nothing = try await program.run("run", "--failed")
            #expect(nothing.output == "the last build of each builder succeeded\n")
            #expect(try await program.run("run").status == 1)
            try program.write("", to: "mended")
            let again = try await program.run("run", "--failed")
            #expect(again.status == 0, "\(again)")
            #expect(builders(again) == ["bad", "after"])
            #expect(again.output.contains("bad #2  1 ShellCommand  success"))
            let over = try await program.run("run", "--failed")
            #expect(over.status == 0)
            #expect(over.output == "the last build of each builder succeeded\n")
        }
    }

    @Test func `--failed runs builders whose request ended without a build`() async throws {
        let file = """
            builders:
              - {name: a, steps: [steps.ShellCommand: "echo began; sleep 20"]}
              - {name: b, needs: a, steps: []}
              - {name: c, steps: []}
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            #expect(try await program.run("run", "c").status == 0)
            // Killed while 'b' waits for 'a'.
            _ = try await program.run(["run", "a", "b", "-v"]) { running in
                await running.transcript.wait(for: "began")
                try running.send(.kill)
            }
            let listed = try await program.run("run", "--failed", "--list")
            let names = listed.output.split(separator: "\n").map { $0.prefix(1) }
            #expect(names == ["a", "b"], "\(listed)")
            #expect(try await program.run("run", "c").status == 0)
            let later = try await program.run("run", "--failed", "--list", "--json")
            #expect(later.output.contains("\"b\""), "\(later)")
            #expect(!later.output.contains("\"c\""), "\(later)")
        }
    }

    @Test func `--list checks properties and steps as a run does`() async throws {
        for arguments in [["-p", "config=relese"], ["--from", "tset"]] {
            let command = ["run", "linux-a"] + arguments
            let ended = try await Program.inFolder(["master.yaml": Self.file]) { program in
                try await program.run(command + ["--list"]) { _ in }
            }
            #expect(ended.status == 64)
            #expect(ended.output == "")
            #expect(ended.error.contains("did you mean '"), "\(ended.error)")
        }
    }

    @Test(arguments: [
        ("jobs=3", "can't be '3'; choose 1, 2 or 4"),
        ("jobs:=\"4\"", "must be the number 4, not the text '4'"),
    ])
    func `a number that can't be chosen is told with the choices`(
        argument: String, fault: String
    ) async throws {
        let file = """
            factories:
              f:
                parameters: {jobs: {default: 2, choices: [1, 2, 4]}}
                steps: []
            builders: [{name: a, factory: f}]
            """
        let ended = try await run("-p", argument, file: file)
        #expect(ended.status == 64)
        #expect(ended.error == "error: -p jobs: 'jobs' \(fault)\n")
    }

    // MARK: Order

    @Test func `a builder waits for those that it needs`() async throws {
        let file = """
            builders:
              - {name: last, needs: [first, absent-too], steps: [steps.ShellCommand: test -e done]}
              - {name: absent-too, steps: []}
              - {name: first, steps: [steps.ShellCommand: "sleep 0.5; touch done"]}
            """
        let ended = try await run("first", "last", "-j", "4", file: file)
        #expect(ended.status == 0, "\(ended)")
    }

    @Test func `what needs a failed builder is skipped, and what needs that, too`() async throws {
        let file = """
            builders:
              - {name: bad, steps: [steps.ShellCommand: "false"]}
              - {name: warned, steps: [steps.ShellCommand: {command: "false", flunkOnFailure: false, warnOnFailure: true}]}
              - {name: after, needs: bad, steps: [steps.ShellCommand: touch ran]}
              - {name: later, needs: [after], steps: [steps.ShellCommand: touch ran]}
              - {name: fine, needs: [warned], steps: [steps.ShellCommand: touch fine]}
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            let ended = try await program.run("run")
            #expect(ended.status == 1)
            #expect(
                ended.output.contains("  skipped ('bad' ended as failure)\n"),
                "\(ended.output)")
            #expect(ended.output.contains("skipped ('after' was skipped)\n"))
            #expect(!program.has("ran"))
            #expect(program.has("fine"))
        }
    }
}
