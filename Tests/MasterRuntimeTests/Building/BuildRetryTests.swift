import MasterKit
import MasterRuntime
import Synchronization
import Testing

/// Builds whose worker is lost.
struct BuildRetryTests {
    @Test func `a lost worker runs the build again, at most twice`() async throws {
        let yaml = "steps: [steps.Play: $lose, steps.Give: {result: success, alwaysRun: true}]"
        let scripts: [String: Scripts.Script] = [
            "lose": { _ in throw WorkerLost(worker: "local", reason: "the power went") }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.build()
            #expect(builds.map(\.build.results) == [.retry, .retry, .exception])
            #expect(builds[2].build.stateString.contains("worker lost 3 times"))
            #expect(builds.map(\.build.number) == [1, 2, 3])
            #expect(builds.map(\.isRetried) == [true, true, false])
            #expect(builds[0].steps.map(\.results) == [.retry, .success])
            #expect(builds[0].build.stateString == "retry finished (retry)")
        }
    }

    @Test func `the build that comes through is the last`() async throws {
        let tries = Mutex(0)
        let scripts: [String: Scripts.Script] = [
            "once": { _ in
                let count = tries.withLock { count in
                    count += 1
                    return count
                }
                guard count > 1 else { throw WorkerLost(worker: "local", reason: "gone") }
                return .success
            }
        ]
        try await MasterBench.with("steps: [steps.Play: $once]", scripts: scripts) { bench in
            let builds = try await bench.build()
            #expect(builds.map(\.build.results) == [.retry, .success])
            #expect(builds.map(\.isRetried) == [true, false])
        }
    }

    @Test func `the numbers go on over runs`() async throws {
        try await MasterBench.with("steps: [steps.Give: success]") { bench in
            var numbers: [Int] = []
            for _ in 1...3 { numbers.append(try await bench.buildOne().build.number) }
            #expect(numbers == [1, 2, 3])
        }
    }
}
