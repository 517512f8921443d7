import MasterKit
import MasterTesting
import Testing

/// A service without a master, with events from the test.
struct ServiceHarnessTests {
    /// Builds `b` after every third success of `a`.
    private struct EveryThird: MasterService {
        static let summary = "Builds after every third success."

        let wantedEvents: Set<EventKind> = [.buildFinished]

        func run(in context: ServiceContext) async throws {
            for await case .event(let build) in context.events
            where build.builderName == "a" && build.results == .success {
                let count = (try await context.state()?.intValue ?? 0) + 1
                guard count == 3 else {
                    try await context.save(.int(count))
                    continue
                }
                try await context.submit(
                    BuildsetRequest(builders: ["b"], reason: "third"), saving: .int(0))
            }
        }
    }

    @Test func `it gets the events that it wants, and its requests and state are kept`()
        async throws
    {
        let harness = try ServiceHarness(state: .int(1))
        let good = RecordedBuild(builder: "a")
        let others = [
            RecordedBuild(builder: "b").finished, RecordedBuild(builder: "a").started,
            RecordedBuild(builder: "a", results: .failure).finished,
        ]
        try await harness.run(
            EveryThird(), events: others + [good.finished, good.finished, good.finished])
        #expect(harness.requests.map(\.builders) == [["b"]])
        #expect(harness.requests.map(\.reason) == ["third"])
        #expect(harness.savedState == .int(1))
    }
}
