import MasterKit
import MasterRuntime
import MasterTesting
import Testing

/// Time limits of steps.
struct StepTimeTests {
    @Test func `a step that takes too long fails, and the build goes on`() async throws {
        let yaml = """
            steps:
              - steps.Play: {script: $hang, maxTime: 20ms}
              - steps.ShellCommand: {command: sleep 600, maxTime: !Property limit}
              - steps.ShellCommand: {command: sleep 600, timeout: 20ms}
              - steps.Give: {result: success, maxTime: 1h}
            """
        let scripts: [String: Scripts.Script] = [
            "hang": { _ in
                try await neverEnd()
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let build = try await bench.buildOne(properties: ["limit": "20ms"])
            #expect(
                build.steps.map(\.stateString) == [
                    "finished (failure) (timed out)",
                    "'sleep 600': took longer than maxTime (failure) (timed out)",
                    "'sleep 600': no output for 0.02 seconds (failure) (timed out)", "finished",
                ])
            #expect(build.build.results == .failure)
        }
    }

    @Test func `the log of a command says that the time of its step was over`() async throws {
        let yaml = "steps: [steps.ShellCommand: {command: sleep 600 & sleep 600, maxTime: 400ms}]"
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            let log = try bench.log("stdio", of: build)
            #expect(log.contains("hcommand timed out: it ran for 0."))
            #expect(log.contains(" (maxTime 0."))
            #expect(
                build.steps.map(\.stateString) == [
                    "'sleep 600 ...': took longer than maxTime (failure) (timed out)"
                ])
            #expect(build.logs[1]?.count == 1)
        }
    }

    @Test func `a step that runs no command says that its time was over`() async throws {
        try await withLoopbackServer(handler: { _ in .hang }) { server in
            let yaml = "steps: [steps.GET: {url: '\(server.url)', maxTime: 400ms}]"
            try await MasterBench.with(yaml) { bench in
                let build = try await bench.buildOne()
                let log = try bench.log("timeout", of: build)
                #expect(log == "oended after 0.4 seconds, its maxTime\n")
                #expect(build.steps.map(\.stateString) == ["Requested (failure) (timed out)"])
            }
        }
    }

    @Test func `a build that takes too long fails, and steps that always run still do`()
        async throws
    {
        let yaml = """
            builders:
              - name: one
                maxTime: !Property limit
                steps:
                  - steps.ShellCommand: sleep 600
                  - steps.Give: {name: behind, result: success}
                  - steps.Give: {name: always, result: success, alwaysRun: true}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne(properties: ["limit": "300ms"])
            #expect(
                build.outline == [
                    "failure: failed (timed out) 'sleep 600' (failure) (timed out)",
                    "ShellCommand: 'sleep 600' (failure) (timed out)", "always: finished",
                ])
            let log = try bench.log("timeout", of: build)
            #expect(log == "oended as the build took longer than its maxTime\n")
        }
    }

    @Test func `a build that ends in time is not changed by its limit`() async throws {
        let yaml = """
            builders:
              - {name: one, maxTime: 1h, steps: [steps.Give: success]}
              - {name: two, maxTime: !Property nothing, steps: []}
            """
        try await MasterBench.with(yaml) { bench in
            let builds = try await bench.build()
            #expect(builds.map(\.build.results) == [.success, .exception])
            let words = "exception: nothing is not set; 'maxTime' of builder 'two' needs this"
            #expect(builds[1].build.stateString.hasPrefix(words))
        }
    }

    @Test func `a step that always runs goes on when the time of the build is over`() async throws {
        let yaml = """
            builders:
              - name: one
                maxTime: 50ms
                steps:
                  - steps.ShellCommand: {command: sleep 0.3, alwaysRun: true}
                  - steps.Give: {name: behind, result: success}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.outline.first == "failure: failed (timed out)")
            #expect(build.steps.map(\.results) == [.success])
        }
    }

    @Test func `the commands of a step share its time`() async throws {
        let scripts: [String: Scripts.Script] = [
            "two": { context in
                let shell = Command.Shell(.script("sleep 600"), in: context.workdir)
                let first = try await context.run(.shell(shell)) { _ in }
                let second = try await context.run(.shell(shell)) { _ in }
                let ended = [first, second].filter { $0.timedOut != nil }
                return ended.count == 2 ? .success : .exception
            }
        ]
        let yaml = "steps: [steps.Play: {script: $two, maxTime: 20ms}]"
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map(\.stateString) == ["finished (failure) (timed out)"])
        }
    }

    @Test func `a step that ignores its end is waited for and has failed all the same`()
        async throws
    {
        let scripts: [String: Scripts.Script] = [
            "stubborn": { _ in
                do { try await neverEnd() } catch {}
                return .success
            }
        ]
        let yaml = "steps: [steps.Play: {script: $stubborn, maxTime: 20ms}]"
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map(\.stateString) == ["finished (failure) (timed out)"])
        }
    }
}
