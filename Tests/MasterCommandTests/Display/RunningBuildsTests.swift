import MasterKit
import MasterRuntime
import OrderedCollections
import Testing

@testable import MasterCommand

struct RunningBuildsTests {
    private let plain = TextPainter(hasColour: false)

    private func lines(_ events: [Event]) -> [String] {
        var builds = RunningBuilds()
        return events.compactMap { builds.apply($0) }.flatMap { $0.lines(plain) }
    }

    @Test func `a build is told a line a transition`() {
        #expect(
            lines(SampleEvents().failure) == [
                "linux #3  started",
                "linux #3  1 compile  started",
                "linux #3  1 compile  success  2.5 s  compiled",
                "linux #3  2 test  started",
                "linux #3  2 test  failure  0.50 s  tests",
                "linux #3  failure  3.0 s  failed tests",
            ])
    }

    @Test func `the output of a step stands behind the names of build and step`() throws {
        let events = SampleEvents()
        var builds = RunningBuilds()
        for event in events.failure.prefix(3) { _ = builds.apply(event) }
        let (step, build) = try #require(builds.step(ofLog: events.log(1, .logNew, at: 1)))
        let output = BuildProgress.output(
            LogLine.lines(marked: "hbegin\noone\netwo\n".utf8), step, of: build)
        #expect(
            output.lines(plain) == [
                "linux #3  1 compile  | begin", "linux #3  1 compile  | one",
                "linux #3  1 compile  | two",
            ])
        #expect(builds.step(ofLog: events.log(7, .logNew, at: 1)) == nil)
    }

    @Test func `a finished build is forgotten`() {
        var builds = RunningBuilds()
        for event in SampleEvents().failure { _ = builds.apply(event) }
        #expect(builds.running.isEmpty)
    }

    @Test func `hidden steps are not told`() {
        let events = SampleEvents()
        let told = lines([
            events.build(.buildNew, at: 0),
            events.step(1, "secret", .stepStarted, at: 0, hidden: true),
            events.step(1, "secret", .stepFinished, at: 1, results: .success, hidden: true),
        ])
        #expect(told == ["linux #3  started"])
    }

    @Test func `a step that is hidden at its end still ends for those who saw it start`() {
        let events = SampleEvents()
        let told = lines([
            events.build(.buildNew, at: 0),
            events.step(1, "secret", .stepStarted, at: 0),
            events.step(1, "secret", .stepFinished, at: 1, results: .success, hidden: true),
        ])
        #expect(told.last == "linux #3  1 secret  success  1.0 s")
    }

    @Test func `events of a build whose beginning was missed are left out`() {
        #expect(lines(Array(SampleEvents().failure.dropFirst())) == [])
    }

    @Test func `a step whose beginning was missed still ends`() {
        let events = SampleEvents()
        let told = lines([
            events.build(.buildNew, at: 0),
            events.step(4, "late", .stepFinished, at: 1, results: .warnings, "warnings"),
        ])
        #expect(told.last == "linux #3  4 late  warnings")
    }

    @Test func `builds and steps whose end was missed are forgotten`() {
        let events = SampleEvents()
        var builds = RunningBuilds()
        for event in events.failure.prefix(3) { _ = builds.apply(event) }
        #expect(builds.isRunning(step: 11))
        // The end of step 1 is missing.
        _ = builds.apply(events.step(2, "test", .stepStarted, at: 2))
        #expect(!builds.isRunning(step: 11))
        #expect(builds.running[7]?.steps.map(\.name) == ["test"])
        builds.forgetEnded(running: [1, 2])
        #expect(builds.running.count == 1)
        builds.forgetEnded(running: [2])
        #expect(builds.running.isEmpty)
    }

    @Test func `names cannot disturb a terminal`() {
        let told = lines([SampleEvents(builder: "a\u{1B}[2Jb").build(.buildNew, at: 0)])
        #expect(told == [#"a\u{1B}[2Jb #3  started"#])
    }
}

@Suite(.timeLimit(.minutes(1)))
struct RunDisplayTests {
    private let console = Console(environment: [:]) { _, _ in nil }

    @Test func `a display that is cancelled waits for no log that goes on`() async throws {
        let bus = EventBus()
        let (reached, reachedEnd) = AsyncStream<Void>.makeStream()
        let display = RunDisplay(
            console,
            follow: { _ in
                reachedEnd.yield()
                // Ends only when it is cancelled.
                try await Task.sleep(for: .seconds(3600))
                return nil
            }, activity: { BuildActivity() })
        let events = SampleEvents()
        await bus.withSubscription(to: display.kinds, bound: 100) { subscription in
            let shown = Task { await display.show(subscription) }
            for event in events.failure.prefix(4) { bus.publish(event) }
            for await _ in reached { break }
            // Waits for the log in the order of events, too.
            bus.publish(events.log(1, .logFinished, at: 2))
            shown.cancel()
            await shown.value
        }
    }
}
