import FoundationEssentials
import Glibc
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Programs that keep running after the steps that started them.
@Suite(.timeLimit(.minutes(2)))
struct BackgroundProgramTests {
    /// The end of a log, and whether the process that wrote its number into it has ended.
    private func end(
        of log: String, _ bench: MasterBench, _ build: FinishedBuild, step: Int = 1
    ) throws -> (lines: [String], hasEnded: Bool) {
        try end(of: try bench.log(log, of: build, step: step))
    }

    private func end(of text: String) throws -> (lines: [String], hasEnded: Bool) {
        let lines = text.split(separator: "\n").map(String.init)
        let process = try #require(lines.compactMap { pid_t($0.dropFirst()) }.first)
        return (lines, !Ran.isAlive(process))
    }

    /// Runs a test with a shell script `server`, as the dollar signs of a file stand for the scripts
    /// of steps.
    private func with<Value>(
        _ server: String, _ yaml: String, scripts: [String: Scripts.Script] = [:],
        _ body: (MasterBench) async throws -> Value
    ) async throws -> Value {
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            try bench.write(server, to: "server")
            return try await body(bench)
        }
    }

    @Test func `a program is there for all steps, and its log ends before the build`() async throws
    {
        let server = """
            # Without the shell's own words about a sleep that is ended with it.
            exec 2> /dev/null
            echo $$ > pid; echo up
            trap 'echo bye; exit' TERM
            while :; do sleep 0.01; done
            """
        let yaml = """
            steps:
              - steps.BackgroundCommand: {command: sh server, ready: {log: up}}
              - steps.ShellCommand: {command: 'kill -0 `cat pid`; false', haltOnFailure: true}
              - steps.ShellCommand: {command: 'kill -0 `cat pid`', alwaysRun: true}
            """
        try await with(server, yaml) { bench in
            let events = try await bench.events()
            let kinds = events.map(\.kind)
            let finished = events.filter { $0.kind == .stepFinished }
            #expect(finished.map(\.results) == [.success, .failure, .success])
            let ended = try #require(
                events.firstIndex { $0.kind == .logFinished && $0.record["stepid"] == 1 })
            #expect(ended > (kinds.lastIndex(of: .stepFinished) ?? .max))
            #expect(ended < (kinds.firstIndex(of: .buildFinished) ?? 0))
            let log = try bench.read(
                bench.basedir + "/logs/default/1/1-BackgroundCommand-stdio.log")
            #expect(log.hasSuffix("obye\nhstopped at the end of the build\n"))
        }
    }

    @Test(arguments: ["{script: $hang, maxTime: 0.05}", "$fault", "$stop"])
    func `a program ends with a build that is stopped, fails or takes too long`(
        _ end: String
    ) async throws {
        let yaml = """
            steps:
              - steps.BackgroundCommand: {command: sh server, ready: {log: up}}
              - steps.Play: \(end)
            """
        let reached = Journal<Void>()
        let scripts: [String: Scripts.Script] = [
            "hang": { _ in
                try await neverEnd()
                return .success
            },
            "fault": { _ in throw CommandError(.system, "no luck") },
            "stop": { _ in
                reached.add(())
                try await neverEnd()
                return .success
            },
        ]
        try await with("echo $$; echo up; exec sleep 600", yaml, scripts: scripts) { bench in
            let build = try await bench.run { master in
                async let builds = master.build()
                if end == "$stop" {
                    await reached.wait(for: 1)
                    await master.stop(reason: "Ctrl-C")
                }
                return try #require(try await builds.first)
            }
            #expect(build.build.results != .success)
            let log = try self.end(of: "stdio", bench, build)
            #expect(log.hasEnded)
            #expect(log.lines.last == "hstopped at the end of the build")
        }
    }

    @Test func `maxTime is about getting ready, and so is retry`() async throws {
        let yaml = """
            steps:
              - steps.BackgroundCommand:
                  command: sh server never
                  ready: {log: up}
                  maxTime: 0.3
                  flunkOnFailure: false
              - steps.BackgroundCommand:
                  name: second
                  command: sh server second
                  ready: {log: up, timeout: 2}
                  retry: {attempts: 2, backoff: 10ms}
                  maxTime: 60
            """
        let server = """
            echo $$
            if [ $1 = second ]; then [ -e there ] && echo up || touch there; fi
            exec sleep 600
            """
        try await with(server, yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.results == .success)
            #expect(
                build.steps.map(\.stateString) == [
                    "'sh server ...' (failure) (timed out)", "'sh server ...': ready (try 2 of 2)",
                ])
            let first = try end(of: "stdio", bench, build)
            #expect(first.hasEnded)
            #expect(first.lines.last == "hstopped before it was ready")
            // A build knows the logs of the last attempt; those of others are kept.
            let last = try #require(build.logs[2]?.first { $0.hasSuffix("-stdio_2.log") })
            let second = try end(of: try bench.read(last.replacing("stdio_2", with: "stdio")))
            #expect(second.hasEnded)
            #expect(second.lines.last == "hstopped: not ready after 2 seconds")
        }
    }

    @Test func `a program can be stopped as soon as it is known`() async throws {
        let scripts: [String: Scripts.Script] = [
            "race": { context in
                for round in 0..<100 {
                    let name = "program \(round)"
                    let stop = Task {
                        while true {
                            if let program = context.program(named: name) {
                                return await program.stop("stopped by the test")
                            }
                            await Task.yield()
                        }
                    }
                    _ = try await context.start(
                        Command.Shell(["sleep", "600"], in: context.workdir), named: name)
                    guard case .stopped = await stop.value else { return .failure }
                }
                return .success
            }
        ]
        try await MasterBench.with("steps: [steps.Play: $race]", scripts: scripts) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.results == .success)
        }
    }

    @Test func `what a program starts ends with it`() async throws {
        let yaml = """
            steps:
              - steps.BackgroundCommand:
                  command: setsid sh server & wait
                  ready: {log: '^[0-9]+'}
                  sigtermTime: 0.2
              - steps.StopBackgroundCommand: BackgroundCommand
            """
        let server = "trap : TERM; echo $$; while :; do sleep 0.1; done"
        try await with(server, yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.results == .success)
            #expect(try end(of: "stdio", bench, build).hasEnded)
        }
    }

    @Test func `output after the step is masked, bounded, and followed as it comes`() async throws {
        let yaml = """
            secrets: [secrets.Command: [sh, key]]
            steps:
              - steps.BackgroundCommand:
                  command: sh server
                  env: {KEY: !Secret key}
                  max_log_size: 1000
              - steps.Play: $follow
            """
        let server = """
            until [ -e go ]; do sleep 0.01; done
            echo "it is $KEY"; seq 1000; exec sleep 600
            """
        let master = Journal<Master>()
        let scripts: [String: Scripts.Script] = [
            "follow": { context in
                try Data().write(to: URL(filePath: "\(context.workdir)/go"))
                let pieces = try await master.entries[0].follow(log: 1)
                for try await piece in try #require(pieces) {
                    let text = String(decoding: piece.bytes, as: UTF8.self)
                    #expect(!text.contains("hunter2hunter2"))
                    if text.contains("log truncated") { return .success }
                }
                return .failure
            }
        ]
        try await with(server, yaml, scripts: scripts) { bench in
            try bench.write("echo hunter2hunter2", to: "key")
            let build = try await bench.run { running in
                master.add(running)
                return try #require(try await running.build().first)
            }
            #expect(build.build.results == .success, "\(build.outline)")
            let log = try bench.log("stdio", of: build)
            #expect(log.contains("oit is <key>\n"))
            #expect(log.hasSuffix("hstopped at the end of the build\n"))
            #expect(log.utf8.count < 2500)
        }
    }
}
