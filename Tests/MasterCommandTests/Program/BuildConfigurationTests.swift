import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

/// The effects of builder and step settings in the built program.
@Suite(.timeLimit(.minutes(2)))
struct BuildConfigurationTests {
    private func run(
        _ file: String, environment: [String: String] = [:], _ arguments: String...
    ) async throws -> Program.Ended {
        try await Program.inFolder(["master.yaml": file]) { program in
            var program = program
            program.environment = environment
            return try await program.run(["run"] + arguments) { _ in }
        }
    }

    private func read(_ path: String, of program: Program) throws -> String {
        String(
            decoding: try Data(contentsOf: URL(filePath: "\(program.folder)/\(path)")),
            as: UTF8.self)
    }

    // MARK: Conditions

    @Test(arguments: [
        ("!All [!Property publish, !Equal [!Property branch, main]]", "publish=false", "skipped"),
        ("!All [!Property publish, !Equal [!Property branch, main]]", "publish=true", "success"),
        ("!Any [!Property publish]", "publish=false", "skipped"),
        ("!Not [!Property publish]", "publish=false", "success"),
        ("!Property publish", "publish=true", "success"),
        ("!Property publish", "publish=false", "skipped"),
        ("!Property publish", "other=x", "skipped"),
        ("!Property publish", "publish=maybe", "exception"),
    ])
    func `a property given as a text is a condition`(
        condition: String, property: String, result: String
    ) async throws {
        let file = """
            steps:
              - steps.ShellCommand: {name: work, command: "true", doStepIf: \(condition)}
            """
        let ended = try await run(file, "-p", property, "--branch", "main")
        #expect(ended.output.contains("1 work  \(result)"), "\(ended.output)")
        if result == "exception" {
            #expect(ended.output.contains("pass -p publish:=true, compare a text with !Equal"))
        }
    }

    @Test func `a text as a condition is a mistake of the file`() async throws {
        for expression in ["!Interpolate '%(prop:publish)s'", "!Template '{{ buildername }}'"] {
            let step = "steps.ShellCommand: {command: a, doStepIf: \(expression)}"
            let ended = try await Program.inFolder(["master.yaml": "steps: [\(step)]"]) {
                try await $0.run("check")
            }
            #expect(ended.status == 2)
            #expect(ended.output.contains("!Equal [!Property NAME, text]"))
            #expect(ended.output.contains("with !Property NAME"))
        }
    }

    // MARK: Environment

    @Test func `variables of the worker are expanded, and lists are joined`() async throws {
        let file = """
            builders:
              - name: one
                env: {BUILDER: "b-${BASE}"}
                steps:
                  - steps.ShellCommand:
                      command: >-
                        echo "[$LIBRARIES] [$NONE] [$KEPT] [$BUILDER] [$PATH]";
                        echo "[${GONE-unset}]"
                      env:
                        LIBRARIES: "/opt/lib:${BASE}"
                        NONE: "${NOT_SET}${}"
                        KEPT: "$BASE ${BASE:-x} $${BASE ${"
                        PATH: [/opt/bin, "${PATH}"]
                        GONE: null
                  - steps.SetPropertyFromCommand:
                      command: [printenv, TARGET]
                      property: target
                      env: {TARGET: !Interpolate "%(prop:buildername)s/${BASE}"}
                  - steps.ShellCommand: [echo, !Interpolate "target=%(prop:target)s"]
            """
        let ended = try await Program.inFolder(["master.yaml": file]) { program in
            var program = program
            program.environment = ["BASE": "/usr/base", "GONE": "there"]
            let ended = try await program.run("run")
            let log = try read(".buildmaster/logs/one/1/1-ShellCommand-stdio.log", of: program)
            #expect(
                log.contains(
                    "o[/opt/lib:/usr/base] [] [$BASE ${BASE:-x} $${BASE ${] [b-/usr/base] "
                        + "[/opt/bin:/usr/local/bin:/usr/bin:/bin]\no[unset]\n"), "\(log)")
            #expect(
                try read(".buildmaster/logs/one/1/3-ShellCommand_1-stdio.log", of: program)
                    .contains(
                        "otarget=one//usr/base\n"))
            return ended
        }
        #expect(ended.status == 0, "\(ended)")
    }

    @Test func `a secret is not changed by the expansion`() async throws {
        let file = """
            secrets: [secrets.Environment]
            steps:
              - steps.ShellCommand: {command: "true", env: {KEY: !Interpolate "%(secret:key)s${X}"}}
              - steps.ShellCommand: {command: "true", env: {KEY: !Secret bad}}
            """
        let ended = try await run(file, environment: ["key": "s3cr3t-value", "bad": "s3cr3t${X}y"])
        #expect(ended.output.contains("1 ShellCommand  success"), "\(ended.output)")
        #expect(ended.output.contains("2 ShellCommand_1  exception"))
        #expect(ended.output.contains("the variable KEY has a secret with '${' in it"))
    }

    @Test func `relative folders of PATH start from the workdir`() async throws {
        let file = """
            steps:
              - steps.ShellCommand: "mkdir -p sub/bin && printf '#!/bin/sh\\necho tool' > sub/bin/mytool && chmod +x sub/bin/mytool"
              - steps.ShellCommand: {command: [mytool], workdir: sub, env: {PATH: [./bin, !Env PATH]}}
              - steps.ShellCommand: {command: mytool, workdir: sub, env: {PATH: [./bin, !Env PATH]}}
              - steps.ShellCommand: {command: [mytool], workdir: sub, env: {PATH: "bin:${PATH}"}}
            """
        let ended = try await run(file)
        #expect(ended.status == 0, "\(ended.output)")
    }

    // MARK: Addresses

    @Test func `a value of the command line cannot change the path of a request`() async throws {
        try await withLoopbackServer(handler: { _ in .text("ok") }) { server in
            let file = """
                steps:
                  - steps.POST: !Interpolate "\(server.url)/branches/%(prop:branch)s/deploy?env=prod"
                """
            for branch in ["fix#12", "a?env=test&x=", "feature/x"] {
                let ended = try await run(file, "--branch", branch)
                #expect(ended.status == 0, "\(ended.output)")
            }
            let ended = try await run(file, "--branch", "feature/../../admin")
            #expect(ended.status == 1)
            #expect(ended.output.contains("makes a segment '..'"))
            #expect(
                server.requests.map(\.target) == [
                    "/branches/fix%2312/deploy?env=prod",
                    "/branches/a%3Fenv=test&x=/deploy?env=prod",
                    "/branches/feature/x/deploy?env=prod",
                ])
        }
    }

    // MARK: Builds

    @Test func `every build has a scheduler, of run or of the command line`() async throws {
        let file = """
            steps:
              - steps.ShellCommand: [echo, !Interpolate "by=%(prop:scheduler)s"]
              - steps.ShellCommand: [test, !Property scheduler, "=", run]
            """
        let ended = try await run(file)
        #expect(ended.status == 0, "\(ended.output)")
        let other = try await run(file, "-p", "scheduler=nightly")
        #expect(other.status == 1)
    }

    @Test func `a build that takes too long fails and cleans up`() async throws {
        let file = """
            builders:
              - name: one
                maxTime: 300ms
                steps:
                  - steps.ShellCommand: {name: work, command: sleep 600}
                  - steps.ShellCommand: {name: clean, command: "true", alwaysRun: true}
            """
        let ended = try await run(file)
        #expect(ended.status == 1)
        #expect(ended.output.contains("1 work  failure"), "\(ended.output)")
        #expect(ended.output.contains("failed (timed out)"))
        #expect(ended.output.contains("2 clean  success"))
    }

    @Test func `a command is tried again`() async throws {
        let file = """
            steps:
              - steps.ShellCommand:
                  name: work
                  command: "test -e done || { touch done; exit 1; }"
                  retry: {attempts: 2, backoff: 10ms}
            """
        let ended = try await run(file)
        #expect(ended.status == 0)
        #expect(ended.output.contains("(try 2 of 2)"), "\(ended.output)")
    }
}
