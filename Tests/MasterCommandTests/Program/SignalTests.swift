import FoundationEssentials
import MasterTesting
import Subprocess
import Testing

@Suite(.timeLimit(.minutes(2)))
struct SignalTests {
    /// A file whose second step always runs.
    private func file(reportingTo url: String, last: String = "echo tidied > tidy") -> String {
        """
        services:
          - reporters.HttpStatusPush: \(url)/status
        steps:
          - steps.ShellCommand: {name: work, command: "echo going; sleep 600"}
          - steps.ShellCommand: {name: tidy, command: "\(last)", alwaysRun: true}
        """
    }

    @Test(arguments: [(Signal.interrupt, 130, "interrupted"), (.terminate, 143, "terminated")])
    func `the first signal stops the build, and its reports still go out`(
        signal: Signal, status: Int32, word: String
    ) async throws {
        let server = try LoopbackServer { _ in .respond() }
        let ended = try await Program.inFolder(["master.yaml": file(reportingTo: server.url)]) {
            try await $0.run(["run", "--verbose"]) { running in
                await running.transcript.wait(for: "| going")
                try running.send(signal)
            }
        }
        #expect(ended.status == status)
        #expect(ended.output.contains("default #1  2 tidy  success"))
        #expect(ended.output.contains("default #1  cancelled"))
        #expect(ended.output.contains("\n\(word): 1 build in "))
        #expect(ended.output.contains("2 reports delivered"))
        #expect(server.requests.count == 2)
    }

    @Test func `the second signal also stops steps that always run`() async throws {
        let server = try LoopbackServer { _ in .respond() }
        let file = file(reportingTo: server.url, last: "echo tidying; sleep 600")
        let ended = try await Program.inFolder(["master.yaml": file]) {
            try await $0.run(["run", "--verbose"]) { running in
                await running.transcript.wait(for: "| going")
                try running.send(.interrupt)
                await running.transcript.wait(for: "| tidying")
                try running.send(.interrupt)
            }
        }
        #expect(ended.status == 130)
        #expect(server.requests.count == 2)
    }

    @Test(arguments: [
        ("touch go", "once running builds have ended", "default #1 build successful"),
        ("kill -TERM $master", "running builds have 0.10 s to end", "default #1 retry"),
        ("$0 stop", "running builds have 0.10 s to end", "default #1 retry"),
        ("$0 stop --now", "stopping ('stop')\n", "default #1 retry"),
    ])
    func `a clean stop waits for builds, unless somebody can't wait`(
        _ act: String, _ words: String, _ end: String
    ) async throws {
        let yaml =
            "steps: [steps.ShellCommand: 'touch begun; until [ -e go ]; do sleep 0.02; done']"
        let script = """
            $0 start --grace 100ms 2> log & master=$!
            until $0 force default 2> /dev/null && [ -e log ]; do sleep 0.05; done
            until [ -e begun ]; do sleep 0.02; done
            $0 stop --clean & stop=$!
            until grep -q "stopping ('stop'): once running" log; do sleep 0.02; done
            sleep 0.4; kill -0 $master && \(act)
            wait $stop && wait $master
            """
        try await Program.inFolder(["master.yaml": yaml]) { program in
            let ended = try await program.run(
                ["-c", script, Program.path], executable: "/bin/bash"
            ) { _ in }
            #expect(ended.status == 0, "\(ended)")
            let log = try String(contentsOfFile: program.folder + "/log", encoding: .utf8)
            #expect(log.contains(words) && log.contains(end), "\(log)")
            #expect(log.hasSuffix("info: stopped\n"))
        }
    }

    @Test func `the third signal ends at once`() async throws {
        let server = try LoopbackServer { _ in .hang }
        let file = file(reportingTo: server.url, last: "echo tidying; sleep 600")
        let ended = try await Program.inFolder(["master.yaml": file]) {
            try await $0.runMerged(["run", "--verbose", "--drain", "10m"]) { running in
                await running.transcript.wait(for: "| going")
                try running.send(.interrupt)
                await running.transcript.wait(for: "| tidying")
                try running.send(.interrupt)
                await running.transcript.wait(for: "waiting up to 10 m 00 s for reports")
                try running.send(.interrupt)
            }
        }
        #expect(ended.status == 130)
        #expect(!ended.output.contains("\ninterrupted: "))
    }

    @Test func `the second TERM ends at once`() async throws {
        let server = try LoopbackServer { _ in .hang }
        let file = file(reportingTo: server.url, last: "echo tidying; sleep 600")
        let ended = try await Program.inFolder(["master.yaml": file]) {
            try await $0.runMerged(["run", "--verbose", "--drain", "10m"]) { running in
                await running.transcript.wait(for: "| going")
                try running.send(.terminate)
                await running.transcript.wait(for: "| tidying")
                // Within a second it would count as the first one, sent again.
                try await Task.sleep(for: .seconds(1.1))
                try running.send(.terminate)
            }
        }
        #expect(ended.status == 143)
        #expect(!ended.output.contains("\nterminated: "))
    }

    @Test(arguments: [("INT INT INT", 130, 0.2), ("TERM TERM", 143, 2)])
    func `signals are obeyed though no thread is left for tasks`(
        signals: String, status: Int32, seconds: Double
    ) async throws {
        // More computations than cores, so that they occupy all threads of the pool.
        let count = ProcessInfo.processInfo.activeProcessorCount + 2
        let begun = "steps.ShellCommand: 'until [ -s pid ]; do sleep 0.02; done'"
        let builders = (1...count).map { "  - {name: b\($0), steps: [\(begun), steps.Compute]}" }
        let file = """
            builders:
              - {name: command, steps: [steps.ShellCommand: echo $$ > pid; sleep 600; true]}
            \(builders.joined(separator: "\n"))
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            let path = Program.path(of: "TestMaster")
            let script = """
                timeout -s KILL 60 "$0" run --jobs \(count + 1) > out 2>&1 & watch=$!
                until [ -s pid ]; do sleep 0.05; done
                master=$(pgrep -P $watch TestMaster)
                until [ $(pgrep -P $master -fc buildmaster-guardian) = 1 ] \
                    && grep -qa computing .buildmaster/*-wal; do sleep 0.05; done
                sleep 1
                for signal in \(signals); do
                    kill -s $signal $master; sleep \(seconds)
                done
                wait $watch; status=$?
                for try in $(seq 100); do kill -0 $(cat pid) || exit $status; sleep 0.05; done
                exit 99
                """
            let ended = try await program.run(["-c", script, path], executable: "/bin/bash") { _ in
            }
            #expect(ended.status == status, "\(ended)")
        }
    }

    @Test func `the third signal leaves no command behind`() async throws {
        let file = """
            steps:
              - steps.ShellCommand: trap '' TERM INT HUP; echo $$ > pid; echo going; sleep 600; true
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            let ended = try await program.runMerged(["run", "--verbose"]) { running in
                await running.transcript.wait(for: "| going")
                for expected in ["stopping;", "stopping steps that always run"] {
                    try running.send(.interrupt)
                    await running.transcript.wait(for: expected)
                }
                try running.send(.interrupt)
            }
            #expect(ended.status == 130)
            let script = """
                for try in $(seq 100); do kill -0 $(cat pid) || exit 0; sleep 0.1; done; exit 1
                """
            let gone = try await program.run(["-c", script], executable: "/bin/sh") { _ in }
            #expect(gone.status == 0)
        }
    }

    @Test func `a terminal that goes away stops the build`() async throws {
        let file = """
            steps:
              - steps.ShellCommand: echo going; sleep 600
            """
        let ended = try await Program.inFolder(["master.yaml": file]) {
            try await $0.run(["run", "--verbose"]) { running in
                await running.transcript.wait(for: "| going")
                try running.send(.terminalClosed)
            }
        }
        #expect(ended.status == 129)
        #expect(ended.output.contains("hung up: 1 build in "))
    }

    @Test func `a signal while reports are waited for keeps them for the next run`() async throws {
        let server = try LoopbackServer { _ in .respond(status: 503) }
        let file = """
            services:
              - reporters.HttpStatusPush: \(server.url)/status
            steps: []
            """
        let ended = try await Program.inFolder(["master.yaml": file]) {
            try await $0.runMerged(["run", "--drain", "10m"]) { running in
                await running.transcript.wait(for: "waiting up to 10 m 00 s for reports")
                try running.send(.interrupt)
            }
        }
        #expect(ended.status == 130)
        #expect(ended.output.contains("2 reports kept for the next run; to see them: "))
    }

    @Test func `a master that stays up logs the end of a build that would not end`() async throws {
        let yaml = """
            builders:
              - name: stubborn
                steps: [steps.ShellCommand: "trap '' TERM INT HUP; touch on; while sleep 1; do :; done"]
            """
        try await Program.inFolder(["master.yaml": yaml]) { program in
            let ended = try await program.runMerged(["start", "--grace", "100ms"]) { running in
                await running.transcript.wait(for: "ready: ")
                #expect(try await program.run("force", "stubborn").status == 0)
                while !program.has("on") { try await Task.sleep(for: .milliseconds(10)) }
                try running.send(.terminate)
            }
            #expect(ended.status == 0)
            #expect(ended.output.contains("info: stubborn #1 retry (master stopped)"))
            #expect(ended.output.hasSuffix("info: stopped\n"))
        }
    }
}
