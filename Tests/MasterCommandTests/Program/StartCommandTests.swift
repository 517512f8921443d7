import FoundationEssentials
import MasterKit
import MasterTesting
import Subprocess
import Testing

/// A master that stays up, and the commands that reach it.
@Suite(.timeLimit(.minutes(3)))
struct StartCommandTests {
    private static let yaml = """
        properties: {config: debug, jobs: 1}
        builders:
          - name: one
            steps:
              - steps.ShellCommand: [echo, !Property config, !Property jobs]
          - name: hang
            triggeredOnly: true
            steps:
              - steps.ShellCommand: echo $$ >> pids; [ -e go ] || sleep 600
        """

    /// Runs a closure while a master is running.
    private func withMaster(
        _ program: Program, _ options: [String] = [],
        _ body: (RunningProgram) async throws -> Void
    ) async throws -> Program.Ended {
        try await program.runMerged(["start"] + options) { running in
            await running.transcript.wait(for: "info: ready: ")
            do {
                try await body(running)
            } catch {
                try running.send(.kill)
                throw error
            }
        }
    }

    @Test func `it says that it is ready, shows its state, builds what is forced, and stops`()
        async throws
    {
        try await Program.inFolder(["master.yaml": Self.yaml]) { program in
            let ended = try await withMaster(program) { running in
                let second = try await program.run("start")
                #expect(second.status == 1)
                #expect(second.error.contains("is in use by another master (process "))

                let forced = try await program.run(
                    "force", "one", "-p", "jobs=4", "--reason", "just so", "--wait")
                #expect(forced.status == 0, "\(forced)")
                #expect(forced.output == "one #1 build successful\n")
                #expect(forced.error == "submitted one as request 1\n")
                await running.transcript.wait(for: "one #1 build successful")

                let wrong = try await program.run("force", "one", "-p", "jobs=many")
                #expect(wrong.status == 64)
                #expect(wrong.error.contains("-p jobs: 'jobs' must be a number"))
                let unknown = try await program.run("force", "on")
                #expect(unknown.status == 64)
                #expect(unknown.error == "error: there is no builder 'on'; did you mean 'one'?\n")

                #expect(try await program.run("force", "hang").status == 0)
                await running.transcript.wait(for: "hang #1 started: forced")
                let status = try await program.run("status")
                #expect(status.status == 0)
                #expect(status.output.hasPrefix("master.yaml: running for "))
                #expect(status.output.contains(/one +idle\nhang +.1 for \d/))
                let json = try await program.run("status", "--json")
                let state = try JSONValue(parsing: json.output)
                #expect(state["version"] == 1)
                #expect(state["builders"]?[1]?["running"]?[0]?["number"] == 1)

                let stopped = try await program.run("stop", "--now")
                #expect(stopped.status == 0, "\(stopped)")
            }
            #expect(ended.status == 0)
            #expect(ended.output.contains("info: one #1 started: just so\n"))
            #expect(ended.output.contains("info: stopping ('stop')\n"))
            #expect(ended.output.contains("info: hang #1 retry (master stopped)"))
            #expect(ended.output.hasSuffix("info: stopped\n"))
            let log = try await program.run("log", "one")
            #expect(log.output.contains("debug 4"))

            let none = try await program.run("status")
            #expect(none.status == 1)
            #expect(none.error.hasPrefix("error: no master is running in "))
        }
    }

    @Test func `reconfig follows the file, and a broken file changes nothing`() async throws {
        try await Program.inFolder(["master.yaml": Self.yaml]) { program in
            let ended = try await withMaster(program, ["--log-format", "text"]) { running in
                let same = try await program.run("reconfig")
                #expect(same.status == 0)
                #expect(
                    same.output == """
                        nothing has changed in the file; secrets and certificates were read again
                        left as before: 2 builders

                        """)

                #expect(try await program.run("force", "hang").status == 0)
                await running.transcript.wait(for: "hang #1 started")
                let other = Self.yaml.replacing("name: one", with: "name: two")
                try program.write(other, to: "master.yaml")
                let changed = try await program.run("reconfig")
                #expect(
                    changed.output == "added: builder 'two'\nremoved: builder 'one'\n"
                        + "left as before: 1 builder\n")
                try program.write(other + "\nbuilder: []\nsteps: 7\n", to: "master.yaml")
                let broken = try await program.run("reconfig")
                #expect(broken.status == 2)
                #expect(broken.error.contains("master.yaml:11:"), "\(broken.error)")
                #expect(broken.error.hasSuffix("the previous configuration stays in force\n"))
                #expect(try await program.run("force", "two", "--wait").status == 0)

                let start = try #require(other.firstRange(of: "  - name: hang")?.lowerBound)
                try program.write(String(other[..<start]), to: "master.yaml")
                let removed = try await program.run("reconfig")
                #expect(removed.output.hasPrefix("removed: builder 'hang'"))
                let status = try await program.run("status")
                #expect(status.output.contains(/hang +.1 for \d+.*, not in the file/))

                try program.write(Self.yaml, to: "master.yaml")
                try running.send(.terminalClosed)
                await running.transcript.wait(for: "SIGHUP: added: builder 'one'")
                #expect(try await program.run("force", "one", "--wait").status == 0)
                // The build that ran meanwhile was not disturbed.
                try program.write("", to: "go")
                let pids = try await program.run(
                    ["-c", "kill $(cat pids)"], executable: "/bin/sh"
                ) { _ in }
                #expect(pids.status == 0)
                await running.transcript.wait(for: "hang #1 failed")
                try running.send(.terminate)
            }
            #expect(ended.status == 0)
        }
    }

    @Test func `--watch reads the file as soon as it changes`() async throws {
        try await Program.inFolder(["master.yaml": Self.yaml]) { program in
            let ended = try await withMaster(program, ["--watch"]) { running in
                try program.write("x", to: "other")
                try program.write(
                    Self.yaml.replacing("name: one", with: "name: two"), to: "new.yaml")
                let moved = try await program.run(
                    ["-c", "mv new.yaml master.yaml"], executable: "/bin/sh"
                ) { _ in }
                #expect(moved.status == 0)
                await running.transcript.wait(for: "a file has changed: added: builder 'two'")
                try running.send(.interrupt)
            }
            #expect(ended.status == 0)
            #expect(ended.output.contains(" to end (press Ctrl-C again to exit immediately)\n"))
        }
    }

    @Test func `a signal ends it in time, and the next one builds what was left`() async throws {
        try await Program.inFolder(["master.yaml": Self.yaml]) { program in
            let first = try await withMaster(program, ["--grace", "100ms", "-j", "1"]) { running in
                #expect(try await program.run("force", "hang").status == 0)
                #expect(try await program.run("force", "one").status == 0)
                await running.transcript.wait(for: "hang #1 started")
                try running.send(.terminate)
            }
            #expect(first.status == 0)
            #expect(first.output.contains("stopping (terminated): running builds have "))
            #expect(!first.output.contains("press Ctrl-C"))
            try program.write("", to: "go")
            let second = try await withMaster(program) { running in
                await running.transcript.wait(for: "hang #2 build successful")
                await running.transcript.wait(for: "one #1 build successful")
                try running.send(.interrupt)
            }
            #expect(second.status == 0)
            #expect(second.output.contains("info: hang #2 started: forced\n"))
        }
    }

    @Test func `a port in use keeps it from starting, and from beginning what is pending`()
        async throws
    {
        try await Program.inFolder(["master.yaml": Self.yaml]) { program in
            _ = try await withMaster(program, ["--grace", "100ms"]) { running in
                #expect(try await program.run("force", "hang").status == 0)
                await running.transcript.wait(for: "hang #1 started")
                try running.send(.terminate)
            }
            try await withLoopbackServer { server in
                try program.write("www: \(server.port)\n" + Self.yaml, to: "master.yaml")
                for _ in 1...3 {
                    let failed = try await program.run("start")
                    #expect(failed.status == 1)
                    #expect(failed.error.contains("the port is in use"))
                }
            }
            let builds = try await program.run("builds")
            #expect(builds.output.contains("hang #1"))
            #expect(!builds.output.contains("hang #2"))
            #expect(!program.has(".buildmaster/control"))
        }
    }

    @Test func `its log can be JSON`() async throws {
        try await Program.inFolder(["master.yaml": Self.yaml]) { program in
            let ended = try await program.runMerged(["start", "--log-format", "json"]) { running in
                await running.transcript.wait(for: "ready: ")
                try running.send(.terminate)
            }
            let lines = try ended.output.split(separator: "\n").map {
                try JSONValue(parsing: String($0))
            }
            #expect(lines.map { $0["level"] } == ["info", "info", "info"])
            #expect(lines.last?["message"] == "stopped")
            #expect(lines.allSatisfy { $0["time"]?.stringValue?.hasSuffix("Z") == true })

            try program.write("stepz: []\nbuilder: []", to: "master.yaml")
            let broken = try await program.run("start", "--log-format", "json")
            #expect(broken.status == 2)
            let mistakes = try broken.error.split(separator: "\n").map {
                try JSONValue(parsing: String($0))
            }
            #expect(mistakes.count > 1)
            #expect(mistakes.allSatisfy { $0["level"] == "error" })
            #expect(mistakes[0]["message"]?.stringValue?.hasPrefix("master.yaml:1:1: ") == true)
        }
    }

    @Test func `a second signal ends it at once`() async throws {
        try await Program.inFolder(["master.yaml": Self.yaml]) { program in
            let ended = try await withMaster(program, ["--grace", "10m"]) { running in
                #expect(try await program.run("force", "hang").status == 0)
                await running.transcript.wait(for: "hang #1 started")
                try running.send(.interrupt)
                await running.transcript.wait(for: "stopping (interrupted)")
                try running.send(.terminate)
            }
            #expect(ended.status == 143)
        }
    }

    @Test func `a TERM that follows the first at once is the same one`() async throws {
        try await Program.inFolder(["master.yaml": Self.yaml]) { program in
            let ended = try await withMaster(program, ["--grace", "2s"]) { running in
                #expect(try await program.run("force", "hang").status == 0)
                await running.transcript.wait(for: "hang #1 started")
                try running.send(.terminate)
                await running.transcript.wait(for: "stopping (terminated)")
                try running.send(.terminate)
            }
            #expect(ended.status == 0)
            #expect(ended.output.contains("hang #1 retry (master stopped)"))
        }
    }

    @Test func `a broken file keeps it from starting`() async throws {
        try await Program.inFolder(["master.yaml": "stepz: []"]) { program in
            let ended = try await program.run("start")
            #expect(ended.status == 2)
            #expect(ended.error.contains("master.yaml:1:1"))
        }
    }

    @Test func `killed and started again, it loses nothing and builds nothing twice`()
        async throws
    {
        try await Program.inFolder(["master.yaml": Self.yaml]) { program in
            let killed = try await withMaster(program, ["-j", "1"]) { running in
                #expect(try await program.run("force", "one", "--wait").status == 0)
                #expect(try await program.run("force", "hang").status == 0)
                await running.transcript.wait(for: "hang #1 started")
                // Requests that ask for the same would be built once.
                for number in 1...3 {
                    #expect(try await program.run("force", "one", "-p", "n=\(number)").status == 0)
                }
                try running.send(.kill)
            }
            #expect(killed.status == -9)
            try program.write("", to: "go")
            let ended = try await withMaster(program, ["-j", "1"]) { running in
                await running.transcript.wait(for: "hang #2 build successful")
                await running.transcript.wait(for: "one #4 build successful")
                try running.send(.terminate)
            }
            #expect(ended.status == 0)
            #expect(!ended.output.contains("one #1"))
            #expect(!ended.output.contains("one #5"))
        }
    }

    @Test func `systemd is told what it does, also by an abstract socket`() async throws {
        // Takes the place of systemd: starts the master with a socket, and prints its messages.
        let manager = """
            import os, signal, socket, subprocess, sys
            name = sys.argv[2]
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind("\\0" + name[1:] if name[0] == "@" else name)
            s.settimeout(60)
            master = subprocess.Popen([sys.argv[1], "start"],
                env=dict(os.environ, NOTIFY_SOCKET=name))
            def message(*words):
                text = s.recv(4096).decode()
                assert all(word in text.split("\\n") or text.startswith(word) for word in words), text
                return text
            message("READY=1")
            master.send_signal(signal.SIGHUP)
            text = message("RELOADING=1")
            time = int(text.split("MONOTONIC_USEC=")[1])
            assert 0 < time, text
            message("READY=1")
            text = open("master.yaml").read()
            open("master.yaml", "a").write("oops")
            master.send_signal(signal.SIGHUP)
            message("RELOADING=1")
            assert "2 is still in force" in message("READY=1")
            open("master.yaml", "w").write(text)
            subprocess.check_call([sys.argv[1], "force", "env", "--wait"])
            master.send_signal(signal.SIGTERM)
            message("STOPPING=1")
            sys.exit(master.wait())
            """
        let yaml = """
            builders:
              - {name: env, steps: [steps.ShellCommand: '[ -z "$NOTIFY_SOCKET" ]']}
            """
        let files = ["master.yaml": yaml, "manager.py": manager]
        try await Program.inFolder(files) { program in
            for name in [program.folder + "/notify", "@buildmaster-test-\(UUID())"] {
                let ended = try await program.run(
                    ["manager.py", Program.path, name], executable: "/usr/bin/python3"
                ) { _ in }
                #expect(ended.status == 0, "\(ended)")
            }
        }
    }

    // MARK: Web page

    /// A tenth of what `Benchmarks/web.py` measures, without its bars.
    @Test(.timeLimit(.minutes(3)))
    func `every browser hears of every build, and every page is answered meanwhile`() async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Benchmarks/web.py").standardized.path
        try await Program.inFolder { program in
            let options = [
                "--browsers", "20", "--rate", "5", "--steps", "5", "--stored", "1000", "--seconds",
                "1", "--rounds", "1", "--idle", "1", "--pause", "0.01",
            ]
            let ended = try await program.run(
                [script, Program.path, "--correctness"] + options, executable: "/usr/bin/python3"
            ) { _ in }
            #expect(ended.status == 0, "\(ended.output)\(ended.error)")
            #expect(ended.output.contains("load: memory at most"))
        }
    }
}
