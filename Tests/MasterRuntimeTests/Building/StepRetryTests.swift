import MasterKit
import MasterRuntime
import MasterTesting
import Synchronization
import Testing

/// Steps retried according to their `retry` option.
struct StepRetryTests {
    /// A script with a series of outcomes, which counts its runs.
    private static func series(
        _ outcomes: [Result<Results, Oops>], _ count: Counter
    ) -> Scripts.Script {
        { context in
            let run = count.next()
            await context.setSummary("run \(run)")
            return try outcomes[min(run, outcomes.count) - 1].get()
        }
    }

    private final class Counter: Sendable {
        private let number = Mutex(0)
        var value: Int { number.withLock { $0 } }

        func next() -> Int {
            number.withLock { number in
                number += 1
                return number
            }
        }
    }

    private struct Oops: Error {}

    private func run(
        _ options: String, _ outcomes: [Result<Results, Oops>]
    ) async throws -> (build: FinishedBuild, runs: Int, log: String?) {
        let count = Counter()
        let yaml = "steps: [steps.Play: {script: $series, \(options)}]"
        return try await MasterBench.with(
            yaml, scripts: ["series": Self.series(outcomes, count)]
        ) { bench in
            let build = try await bench.buildOne()
            let path = build.logs[1]?.first { $0.hasSuffix("-retry.log") }
            return (build, count.value, try path.map(bench.read))
        }
    }

    @Test func `a step that fails is tried again, and its log and state say so`() async throws {
        let ended = try await run(
            "retry: {attempts: 3, backoff: 10ms}", [.success(.failure), .success(.success)])
        #expect(ended.runs == 2)
        #expect(ended.build.build.results == .success)
        #expect(ended.build.steps.map(\.stateString) == ["run 2 (try 2 of 3)"])
        #expect(
            ended.log == "hTry 1 of 3 ended as failure; try 2 follows in 0.01 seconds\n")
    }

    @Test func `the last try decides`() async throws {
        let ended = try await run(
            "retry: {attempts: 3, backoff: 1ms}",
            [.failure(Oops()), .success(.exception), .success(.failure)])
        #expect(ended.runs == 3)
        #expect(ended.build.build.results == .failure)
        #expect(ended.build.steps.map(\.stateString) == ["run 3 (try 3 of 3) (failure)"])
        let lines = ended.log?.split(separator: "\n").map(String.init)
        #expect(lines?.first?.hasPrefix("hTry 1 of 3 ended as exception (Oops()); try 2") == true)
        #expect(lines?.last?.hasPrefix("hTry 2 of 3 ended as exception; try 3 follows in") == true)
    }

    @Test(arguments: [
        ("retry: 1", Results.failure, 1), ("retry: null", .failure, 1),
        ("retry: {attempts: 2, backoff: 1ms, on: exception}", .failure, 1),
        ("retry: {attempts: 2, backoff: 1ms, on: exception}", .exception, 2),
        ("retry: {attempts: 2, backoff: 1ms, on: failure}", .exception, 1),
        ("retry: {attempts: 2, backoff: 1ms, on: timeout}", .failure, 1),
        ("retry: {attempts: 2, backoff: 1ms}", .warnings, 1),
        ("retry: {attempts: 2, backoff: 1ms}", .skipped, 1),
        ("retry: {attempts: !Property buildnumber}", .failure, 1),
    ])
    func `only what the policy names is tried again`(
        options: String, results: Results, runs: Int
    ) async throws {
        let ended = try await run(options, [.success(results)])
        #expect(ended.runs == runs)
        #expect(ended.build.steps.map(\.results) == [results])
        #expect((ended.log == nil) == (runs == 1))
    }

    @Test func `each try of a command has a log of its own`() async throws {
        let yaml = """
            steps:
              - steps.ShellCommand:
                  command: echo try; test -e done || { touch done; exit 3; }
                  retry: {attempts: 2, backoff: 1ms}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.results == .success)
            #expect(build.steps.map(\.stateString) == ["'echo try; ...' (try 2 of 2)"])
            let logs = try bench.files(in: bench.basedir + "/logs/default/1")
            #expect(logs.count { $0.contains("-stdio") } == 2)
            #expect(build.logs[1]?.count { $0.hasSuffix("-stdio_2.log") } == 1)
            #expect(build.logs[1]?.count { $0.contains("-stdio") } == 1)
        }
    }

    @Test func `a command that takes too long is tried again after a timeout`() async throws {
        let yaml = """
            steps:
              - steps.ShellCommand:
                  command: test -e done || { touch done; exec sleep 600; }
                  timeout: 100ms
                  retry: {attempts: 2, backoff: 1ms, on: timeout}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map(\.results) == [.success])
            #expect(try bench.log("retry", of: build).contains("failure (timed out)"))
        }
    }

    @Test func `the time of the step includes its tries and waits`() async throws {
        let yaml = "steps: [steps.Give: {result: failure, maxTime: 100ms, retry: {backoff: 1h}}]"
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map(\.stateString) == ["finished (failure) (timed out)"])
        }
    }

    @Test func `a stopped build does not wait for another try`() async throws {
        let failed = Signal()
        let fail: Scripts.Script = { _ in
            failed.raise()
            return .failure
        }
        let yaml = "steps: [steps.Play: {script: $fail, retry: {backoff: 1h}}]"
        try await MasterBench.with(yaml, scripts: ["fail": fail]) { bench in
            let builds = try await bench.run { master in
                let submission = try await master.submit(BuildsetRequest(reason: "test"))
                await failed.wait()
                await master.stop(reason: "enough")
                return try await master.wait(for: submission)
            }
            #expect(builds.map(\.build.results) == [.cancelled])
        }
    }

    @Test func `a request is sent again by its own rules`() async throws {
        let answers = Counter()
        try await withLoopbackServer(handler: { _ in
            answers.next() == 1 ? .respond(status: 503) : .text("ok")
        }) { server in
            let yaml = "steps: [steps.GET: {url: '\(server.url)', retry: {backoff: 1ms}}]"
            try await MasterBench.with(yaml) { bench in
                let build = try await bench.buildOne()
                #expect(build.build.results == .success)
                #expect(build.logs[1]?.contains { $0.contains("retry") } == false)
            }
            #expect(server.requests.count == 2)
        }
    }
}
