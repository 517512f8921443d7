import FoundationEssentials
import Logging
import MasterKit
import MasterTesting
import Synchronization
import Testing

@testable import MasterRuntime

/// Questions about failed steps, as with `run --pause-on-failure`.
@Suite(.timeLimit(.minutes(2)))
struct StepPauseTests {
    /// Runs one build, in which failures are decided in order; returns it with what was asked.
    private func build(
        _ bench: MasterBench, _ decisions: [FailureDecision],
        asking: @escaping @Sendable (Master, FailedStep) async -> Void = { _, _ in }
    ) async throws -> (build: FinishedBuild, asked: [FailedStep]) {
        let asked = Journal<FailedStep>()
        let running = Journal<Master>()
        var options = Master.Options(basedir: bench.basedir, slots: 1)
        options.aids.failureQuestion = { step in
            asked.add(step)
            await asking(running.entries[0], step)
            let count = asked.entries.count
            return count <= decisions.count ? decisions[count - 1] : .goOn
        }
        let configuration = try bench.configuration()
        let build = try await Master.run(
            configuration, SecretFetcher(configuration).fetch().usable(), options: options,
            logger: Logger(label: "master") { _ in bench.messages.handler }
        ) { master in
            running.add(master)
            return try #require(try await master.build().first)
        }
        return (build, asked.entries)
    }

    private static let yaml = """
        secrets: [secrets.Command: [sh, key]]
        builders:
          - name: default
            env: {FROM: builder}
            steps:
              - steps.ShellCommand:
                  name: flaky
                  command: 'echo x >> runs; test `wc -l < runs` -ge 2'
                  env: {KEY: !Secret key}
                  maxTime: 20
                  haltOnFailure: true
              - steps.ShellCommand: {name: tolerated, command: 'false', flunkOnFailure: false}
              - steps.ShellCommand: {name: cleanup, command: 'true', alwaysRun: true}
        """

    private func run(
        _ decisions: [FailureDecision]
    ) async throws -> (build: FinishedBuild, asked: [FailedStep]) {
        try await MasterBench.with(Self.yaml) { bench in
            try bench.write("echo hunter2hunter2", to: "key")
            return try await build(bench, decisions)
        }
    }

    @Test func `a step is run again, and one whose failure does no harm is not asked about`()
        async throws
    {
        let (build, asked) = try await run([.retry])
        #expect(
            build.outline == [
                "success: build successful", "flaky: 'echo x ...' (run 2)",
                "tolerated: 'false': exit 1 (failure)", "cleanup: 'true'",
            ])
        #expect(asked.map(\.name) == ["flaky"])
        let step = try #require(asked.first)
        #expect(step.stateString == "'echo x ...': exit 1 (failure)")
        #expect(step.builder == "default" && step.build == 1 && step.number == 1)
        #expect(step.environment["KEY"] == "hunter2hunter2")
        #expect(step.environment["FROM"] == "builder")
        #expect(step.environment["PATH"] != nil)
        #expect(step.workdir.hasPrefix("/tmp/master-test-"))
        #expect(step.logs.count == 1)
    }

    @Test func `a step that is skipped does not fail the build`() async throws {
        let (build, _) = try await run([.skip])
        #expect(build.build.results == .success)
        #expect(build.steps.map(\.results) == [.skipped, .failure, .success])
    }

    @Test func `aborting stops the build, but for what always runs`() async throws {
        let (build, asked) = try await run([.abort])
        #expect(build.build.results == .cancelled)
        #expect(build.build.stateString.hasPrefix("cancelled (aborted after a failure)"))
        #expect(build.steps.map(\.name) == ["flaky", "cleanup"])
        #expect(asked.count == 1)
    }

    @Test func `without an answer the failure counts`() async throws {
        let (build, _) = try await run([.goOn])
        #expect(build.build.results == .failure)
        #expect(build.steps.map(\.results) == [.failure, .success])
    }

    @Test func `a build that is stopped stops asking`() async throws {
        try await MasterBench.with(Self.yaml) { bench in
            try bench.write("echo hunter2hunter2", to: "key")
            let (build, _) = try await build(bench, [.retry]) { master, _ in
                await master.stop(reason: "Ctrl-C")
                do {
                    try await neverEnd()
                } catch {
                    // Cancelled, as it should be.
                }
            }
            #expect(build.build.results == .cancelled)
            #expect(build.steps.map(\.name) == ["flaky", "cleanup"])
        }
    }

    @Test func `the time of a question is not that of the build`() async throws {
        let control = BuildControl()
        let step = FailedStep(
            builder: "b", build: 1, number: 1, name: "s", results: .failure, stateString: "",
            workdir: "/", environment: [:], logs: [])
        let begin = ContinuousClock.now
        async let limit: Void = control.sleep(for: .milliseconds(300))
        let decision = await control.ask(
            { _ in
                do {
                    try await Task.sleep(for: .milliseconds(600))
                } catch {
                    return .abort
                }
                return .retry
            }, about: step)
        #expect(decision == .retry)
        try await limit
        // At least 300 ms besides the question, less what passed before it was asked.
        #expect(control.pausedTime >= .milliseconds(600))
        #expect(.now - begin >= .milliseconds(900))
    }

    @Test func `a time limit is not looked at while a question is open`() async throws {
        let control = BuildControl()
        let clock = CountingClock()
        control.beginPause()
        async let limit: Void = control.sleep(for: .milliseconds(1), clock: clock)
        // Long enough for many looks.
        try await Task.sleep(for: .milliseconds(300))
        control.endPause()
        try await limit
        #expect(clock.sleepCount.withLock { $0 } <= 2)
    }

    @Test func `a build that is paused can be ended`() async {
        let control = BuildControl()
        control.beginPause()
        let limit = Task { try await control.sleep(for: .milliseconds(1)) }
        limit.cancel()
        await #expect(throws: CancellationError.self) { try await limit.value }
    }
}

/// A clock that counts how often somebody sleeps.
private final class CountingClock: Clock {
    let sleepCount = Mutex(0)

    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { ContinuousClock().minimumResolution }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        sleepCount.withLock { $0 += 1 }
        try await ContinuousClock().sleep(until: deadline, tolerance: tolerance)
    }
}
