import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

@Suite(.timeLimit(.minutes(2)))
struct StopBackgroundCommandTests {
    private func stop(
        after yaml: String?, _ prepare: (StepHarness) async -> Void = { _ in }
    ) async throws -> (Results, StepHarness) {
        let harness = try StepHarness(worker: LocalWorker(root: "/"), workdir: "/tmp")
        if let yaml {
            let results = try await harness.run(BackgroundCommand.configured(yaml: yaml))
            #expect(results == .success)
        }
        await prepare(harness)
        let step = try StopBackgroundCommand.configured(yaml: "server")
        return (try await harness.run(step), harness)
    }

    @Test func `a program is ended`() async throws {
        let (results, harness) = try await stop(
            after: "{id: server, command: 'echo up; sleep 600', ready: {log: up}}")
        #expect(results == .success)
        #expect(harness.summary == "stopped server")
        #expect(
            harness.log("stdio")?.lines.last == "hstopped by the step 'StopBackgroundCommand'")
    }

    @Test(arguments: [
        ("exit 0", Results.success, "exit 0"), ("exit 3", .failure, "exit 3"),
        ("exit 4", .warnings, "exit 4"),
        ("kill -9 $$", .failure, "killed by signal 9 (SIGKILL)"),
    ])
    func `a program that had ended by itself is judged by how it ended`(
        _ end: String, _ expected: Results, _ words: String
    ) async throws {
        let (results, harness) = try await stop(
            after: """
                id: server
                command: 'echo up; sleep 0.3; \(end)'
                ready: {log: up}
                decodeRC: {0: success, 4: warnings}
                """
        ) { harness in
            while harness.log("stdio")?.lines.last?.hasPrefix("helapsedTime=") != true {
                await Task.yield()
            }
        }
        #expect(results == expected)
        #expect(harness.summary == "server had ended by itself: \(words)")
    }

    @Test func `a program that was not started is nothing to do`() async throws {
        let (results, harness) = try await stop(after: nil)
        #expect(results == .skipped)
        #expect(harness.summary == "server was not started")
    }
}
