import MasterTesting
import Subprocess
import Testing

/// `force` with the forms of a file.
@Suite(.timeLimit(.minutes(1)))
struct ForceCommandTests {
    @Test func `a ForceScheduler decides what can be forced, and with what`() async throws {
        let yaml = """
            schedulers:
              - schedulers.ForceScheduler:
                  name: force
                  builderNames: [one]
                  reasonString: '%(reason)s by %(owner)s'
                  codebases:
                    - app
                    - util.CodebaseParameter: {codebase: lib, branch: stable}
                  properties:
                    - util.IntParameter: {name: jobs, default: 2}
                    - util.ChoiceStringParameter:
                        {name: config, choices: [debug, release], required: true}
                    - util.FixedParameter: {name: origin, default: form}
            builders:
              - name: one
                steps:
                  - steps.ShellCommand: [echo, !Property config, !Property jobs, !Property origin]
              - {name: two, steps: []}
            """
        try await Program.inFolder(["master.yaml": yaml]) { program in
            _ = try await program.runMerged(["start"]) { running in
                await running.transcript.wait(for: "info: ready: ")
                for (arguments, expected) in [
                    (
                        ["two"],
                        "no scheduler lets 'two' be forced; add it to 'builderNames' of 'force'"
                    ),
                    (["one"], "the scheduler 'force': 'config' needs a value"),
                    (["one", "-p", "config=fast"], "'config' must be one of debug, release"),
                    (
                        ["one", "-p", "config=debug", "-p", "jobs=x"],
                        "'jobs' must be a whole number"
                    ),
                    (
                        ["one", "-p", "config=debug", "-p", "origin=x"],
                        "'origin' is fixed; omit it"
                    ),
                    (
                        ["one", "-p", "confg=debug"],
                        "has no parameter 'confg'; did you mean 'config'?"
                    ),
                    (
                        ["one", "-p", "config=x", "-p", "jobs=x"],
                        "'jobs' must be a whole number; 'config' must be one of debug, release"
                    ),
                    (
                        ["one", "--branch", "dev"],
                        "--branch: there are several codebases; use -p app_branch=… in its place"
                    ),
                    (
                        ["one", "-p", "lib_branch=dev"],
                        "-p lib_branch: 'lib_branch' is fixed; omit it"
                    ),
                ] {
                    let ended = try await program.run(["force"] + arguments) { _ in }
                    #expect(ended.status == 64)
                    #expect(ended.error.contains(expected), "\(ended.error)")
                }
                let forced = try await program.run(
                    "force", "one", "-p", "config=release", "-p", "jobs=3", "--wait",
                    "-p", "app_branch=dev", "--owner", "Ann %(reason)s", "--reason", "tried",
                    "--priority", "7")
                #expect(forced.status == 0)
                await running.transcript.wait(for: "one #1 started: tried by Ann %(reason)s")
                try running.send(.terminate)
            }
            let log = try await program.run("log", "one")
            #expect(log.output.contains("release 3 form"))
            let stored = try await Subprocess.run(
                .name("sqlite3"),
                arguments: [
                    program.folder + "/.buildmaster/buildmaster.sqlite",
                    "SELECT priority FROM build_request",
                ],
                output: .string(limit: 100))
            #expect(stored.standardOutput == "7\n")
        }
    }

    @Test func `a scheduler that was disabled forces nothing`() async throws {
        let yaml = """
            schedulers:
              - schedulers.ForceScheduler: {name: first, builderNames: [one]}
              - schedulers.ForceScheduler: {name: second, builderNames: [one], reason: by second}
            builders: [{name: one, steps: []}]
            """
        try await Program.inFolder(["master.yaml": yaml]) { program in
            func disable(_ name: String) async throws {
                let ended = try await Subprocess.run(
                    .name("sqlite3"),
                    arguments: [
                        program.folder + "/.buildmaster/buildmaster.sqlite",
                        "UPDATE scheduler SET enabled = 0 WHERE name = '\(name)'",
                    ],
                    output: .discarded)
                #expect(ended.terminationStatus.isSuccess)
            }
            _ = try await program.runMerged(["start"]) { running in
                await running.transcript.wait(for: "info: ready: ")
                try await disable("first")
                let forced = try await program.run("force", "one", "--wait")
                #expect(forced.status == 0)
                await running.transcript.wait(for: "by second")
                try await disable("second")
                let refused = try await program.run("force", "one")
                #expect(refused.status == 1)
                #expect(
                    refused.error.contains(
                        "the scheduler 'first' is disabled; enable it on the web page"))
                try running.send(.terminate)
            }
        }
    }
}
