import FoundationEssentials
import Glibc
import MasterKit
import MasterTesting
import Subprocess
import Testing

/// `run --workers`: a run whose builds run on the workers of the file.
@Suite(.timeLimit(.minutes(3)))
struct RunWorkersTests {
    private static let yaml = """
        protocols: {msgpack: 0}
        secrets: [secrets.Environment]
        workers:
          - workers.Worker: {name: far, password: !Secret FAR}
          - workers.Local: {name: here}
        builders:
          - name: there
            workernames: [far]
            steps:
              - steps.StringDownload: {s: x, workerdest: x}
          - name: local
            workernames: [here]
            steps:
              - steps.ShellCommand: "true"
        """

    private static let package = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// The command that runs a script without the rights of root.
    private static func unprivileged(_ words: [String]) -> [String] {
        guard geteuid() == 0 else { return words }
        // It may read Python, wherever that is, but write nowhere else.
        return [
            "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
            "--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search",
        ] + words
    }

    @Test func `the workers of the example connect, and its builds run there`() async throws {
        let example = Self.package + "/Examples/Workers"
        let yaml = try String(contentsOfFile: example + "/master.yaml", encoding: .utf8)
            .replacing("port: 9989", with: "port: 0")
        try await Program.inFolder(["master.yaml": yaml]) { program in
            var program = program
            program.environment = [
                "LINUX1": "first-password", "LINUX2": "second-password",
                "BUILDBOT_WORKER": Self.package + "/.build/python/bin/buildbot-worker",
            ]
            let ended = try await program.runMerged(
                ["run", "--workers", "-v", "--worker-timeout", "10m"]
            ) { running in
                await running.transcript.wait(for: "test waits up to")
                let text = running.transcript.text
                let port = try #require(text.firstMatch(of: /connect to 127\.0\.0\.1:(\d+)/)?.1)
                let words = Self.unprivileged([example + "/start-workers", String(port)])
                let script = try await program.run(
                    ["-c", "exec \"$@\"", "sh"] + words, executable: "/bin/sh"
                ) { workers in
                    await running.transcript.wait(for: "success: 2 builds")
                    try workers.send(.terminate)
                }
                #expect(script.status == 143, "\(script.error)")
            }
            #expect(ended.status == 0, "\(ended.output)")
            #expect(ended.output.contains(/tested by linux[12]/), "\(ended.output)")
            #expect(ended.output.contains("success: 2 builds"), "\(ended.output)")
            #expect(program.has(".buildmaster/archive.tar"))
            // The run ends their connections itself.
            #expect(!ended.error.contains("warning: worker"), "\(ended.error)")
        }
    }

    @Test func `a build whose worker does not come is given up with a sentence`() async throws {
        try await Program.inFolder(["master.yaml": Self.yaml]) { program in
            var program = program
            program.environment = ["FAR": "secret"]
            let ended = try await program.run("run", "--workers", "--worker-timeout", "300ms")
            #expect(ended.status == 1)
            #expect(
                ended.error.contains(
                    "there waits up to 0.30 s for a worker: 'far' is not connected\n"))
            #expect(
                ended.error.contains(
                    "error: there was not built, as no worker took it within 0.30 s: 'far' is not "
                        + "connected; start one with 'buildbot-worker start', or set a longer "
                        + "--worker-timeout\n"), "\(ended.error)")
            #expect(ended.output.contains("incomplete: 1 build in "), "\(ended.output)")
            #expect(ended.output.contains("not started: there\n"))

            let json = try await program.run(
                "run", "--workers", "--json", "--worker-timeout", "300ms", "there")
            #expect(json.status == 1)
            let last = try JSONValue(parsing: String(json.output.split(separator: "\n").last ?? ""))
            #expect(last["record"]?["interruption"] == "incomplete", "\(json.output)")
        }
    }

    @Test func `without the option, builds run here and need no password`() async throws {
        try await Program.inFolder(["master.yaml": Self.yaml]) { program in
            let ended = try await program.run("run")
            #expect(ended.status == 0, "\(ended.error)")
            #expect(program.has("x"))
        }
    }

    @Test func `options that contradict it are refused`() async throws {
        let here = "builders: [{name: a, steps: [{steps.ShellCommand: 'true'}]}]"
        try await Program.inFolder(["master.yaml": here]) { program in
            for (options, words) in [
                (["--workers"], "master.yaml has no workers"),
                (["--workers", "--source"], "--source can't be used with --workers"),
                (["--worker-timeout", "5s"], "no effect without --workers"),
            ] {
                let ended = try await program.run(["run"] + options) { _ in }
                #expect(ended.status == 64, "\(ended.error)")
                #expect(ended.error.contains(words), "\(ended.error)")
            }
        }
    }
}
