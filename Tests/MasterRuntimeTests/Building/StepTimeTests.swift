import MasterKit
import MasterRuntime
import Testing

/// How long steps may take.
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
                    "finished (failure) (timed out)", "'sleep 600' (failure) (timed out)",
                    "'sleep 600' (failure) (timed out)", "finished",
                ])
            #expect(build.build.results == .failure)
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
