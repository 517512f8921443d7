import FoundationEssentials
import Subprocess
import Testing

/// What happens to commands when the program is killed.
@Suite(.timeLimit(.minutes(2)))
struct KillTests {
    /// A command whose processes try to outlive everything; each records its ID.
    private static let file = """
        steps:
          - steps.ShellCommand: |
              trap '' TERM INT HUP
              (setsid sh -c 'echo $$ >> pids; exec sleep 600' >/dev/null 2>&1 &)
              env -i /usr/bin/setsid /bin/sh -c 'echo $$ >> pids; exec /bin/sleep 600' &
              echo $$ >> pids
              while [ $(wc -l < pids) -lt 3 ]; do sleep 0.01; done
              echo going
              sleep 600
              true
        """

    /// Waits until all of the processes have ended.
    private static let wait = """
        for try in $(seq 200); do
            gone=yes
            for pid in $(cat pids); do
                case "$(cut -d' ' -f3 /proc/$pid/stat 2>/dev/null)" in ''|Z|X) ;; *) gone=no;; esac
            done
            [ $gone = yes ] && exit 0
            sleep 0.05
        done
        exit 1
        """

    /// Kills the program while its command runs.
    private func kill(_ program: Program, _ line: String) async throws {
        let script =
            "setsid \(Program.path) run --verbose & master=$!; "
            + "until [ \"$(wc -l < pids)\" = 3 ] && grep -q going .buildmaster/logs/default/1/*; do "
            + "sleep 0.05; done; \(line); wait $master"
        let ended = try await program.run(["-c", script], executable: "/bin/sh") { _ in }
        #expect(ended.status == 128 + 9)
    }

    @Test(arguments: [
        ("kill -9 $master", "ShellCommand"), ("kill -9 -$master", "ShellCommand"),
        ("kill -9 $master", "BackgroundCommand"),
    ])
    func `nothing of a command outlives the program`(
        _ line: String, _ step: String
    ) async throws {
        let file =
            Self.file.replacing("steps.ShellCommand", with: "steps.\(step)")
            + "\n  - steps.ShellCommand: sleep 600"
        try await Program.inFolder(["master.yaml": file]) { program in
            try program.write("", to: "pids")
            try await kill(program, line)
            let gone = try await program.run(["-c", Self.wait], executable: "/bin/sh") { _ in }
            #expect(gone.status == 0)
        }
    }

    @Test func `a build that waits for others ends once, as do these`() async throws {
        let file = """
            builders:
              - name: all
                steps:
                  - steps.Trigger: {builderNames: [one, two], waitForFinish: true}
              - {name: one, triggeredOnly: true, steps: [steps.ShellCommand: 'echo going; sleep 600']}
              - {name: two, triggeredOnly: true, steps: [steps.ShellCommand: 'true']}
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            let script =
                "setsid \(Program.path) run --jobs 1 --verbose & master=$!; "
                + "until grep -q going .buildmaster/logs/one/1/*; do sleep 0.05; done; "
                + "kill -9 $master; wait $master"
            let ended = try await program.run(["-c", script], executable: "/bin/sh") { _ in }
            #expect(ended.status == 128 + 9)
            try program.write("steps: []", to: "master.yaml")
            #expect(try await program.run("run").status == 0)
            let builds = try await program.run("builds").output
            #expect(builds.matches(of: /master stopped/).count == 2, "\(builds)")
            #expect(builds.contains("all #1") && builds.contains("one #1"), "\(builds)")
            #expect(!builds.contains("two #1") && !builds.contains("not finished"), "\(builds)")
        }
    }

    @Test func `a build whose master was killed is shown as cut off, and so is its log`()
        async throws
    {
        try await Program.inFolder(["master.yaml": Self.file]) { program in
            try program.write("", to: "pids")
            try await kill(program, "kill -9 $master")
            let builds = try await program.run("builds")
            #expect(builds.output.contains("✗ default #1  cut off  "), "\(builds.output)")
            let log = try await program.run("log", "--follow")
            #expect(log.output.hasPrefix("trap "))
            #expect(log.error.hasSuffix("this log was cut off: its master has ended\n"))
            try program.write("steps: []", to: "master.yaml")
            #expect(try await program.run("run").status == 0)
            let later = try await program.run("log", "default", "1")
            #expect(later.output.hasSuffix("\nthe log was cut off: its master has ended\n"))
        }
    }

    @Test func `what outlives it all the same is ended by the next run`() async throws {
        try await Program.inFolder(["master.yaml": Self.file]) { program in
            try program.write("", to: "pids")
            try await kill(program, "kill -9 $(pgrep -P $master -f buildmaster-guardian) $master")
            let alive = try await program.run(["-c", Self.wait], executable: "/bin/sh") { running in
                try program.write("steps: []", to: "master.yaml")
                let next = try await program.run("run")
                #expect(next.status == 0)
                #expect(next.error.contains("notice: stopped processes left by an earlier run: "))
                #expect(next.error.matches(of: /sleep \(\d+\)/).count >= 2)
            }
            #expect(alive.status == 0)
            let last = try await program.run("run")
            #expect(!last.error.contains("left running"))
        }
    }

    @Test func `the guardian ends with the program`() async throws {
        try await Program.inFolder(["master.yaml": "steps: [steps.ShellCommand: 'true']"]) {
            let script = """
                "$0" run & master=$!
                for try in $(seq 200); do
                    guardian=$(pgrep -P $master -f buildmaster-guardian) && break
                    sleep 0.005
                done
                wait $master
                for try in $(seq 100); do kill -0 $guardian || exit 0; sleep 0.05; done
                exit 1
                """
            let ended = try await $0.run(
                ["-c", script, Program.path], executable: "/bin/sh"
            ) { _ in }
            #expect(ended.status == 0)
        }
    }
}
