import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// What it asks of the master; the builds themselves are tested with a master.
struct TriggerTests {
    private static func run(
        _ yaml: String, _ builds: [TriggeredBuild], properties: JSONObject = [:]
    ) async throws -> (Results, StepHarness) {
        let harness = try StepHarness(
            properties: properties, sourceStamps: [SourceStamp(branch: "main", revision: "r1")],
            builds: { _ in builds })
        return (try await harness.run(try Trigger.configured(yaml: yaml)), harness)
    }

    private static func build(
        _ name: String, _ number: Int?, _ results: Results
    ) -> TriggeredBuild {
        TriggeredBuild(builder: name, number: number, results: results, stateString: "state")
    }

    @Test func `without waiting, it succeeds once the builds are submitted`() async throws {
        let (results, harness) = try await Self.run("[a, b]", [])
        #expect(results == .success)
        #expect(harness.summary == "triggered a, b")
        #expect(harness.requests.map(\.builders) == [["a", "b"]])
        #expect(harness.requests[0].parentRelationship == "Triggered from")
        #expect(harness.requests[0].sourceStamps.map(\.revision) == ["r1"])
    }

    @Test(arguments: [
        ([build("a", 1, .success), build("b", 2, .skipped)], Results.success, "a #1, b #2"),
        ([build("a", 1, .success), build("b", 2, .warnings)], .warnings, "b #2: warnings"),
        (
            [build("a", 1, .failure), build("b", 2, .exception)], .exception,
            "a #1: failure, b #2: exception"
        ),
        (
            [build("a", 1, .failure), build("b", nil, .cancelled)], .cancelled,
            "a #1: failure, b: cancelled"
        ),
        ([build("a", 1, .retry)], .exception, "a #1: retry"),
        (
            (1...7).map { build("a", $0, .failure) }, .failure,
            "a #1: failure, a #2: failure, a #3: failure, a #4: failure, a #5: failure and 2 more"
        ),
    ])
    func `with waiting, it takes the worst result`(
        _ builds: [TriggeredBuild], _ expected: Results, _ summary: String
    ) async throws {
        let (results, harness) = try await Self.run(
            "{builderNames: a, waitForFinish: true}", builds)
        #expect(results == expected)
        #expect(harness.summary == summary)
        #expect(harness.log("builds")?.lines.count == builds.count)
    }

    @Test func `unimportant builders are told, but do not count`() async throws {
        let (results, harness) = try await Self.run(
            "{builderNames: [a, b], unimportantBuilderNames: b, waitForFinish: true}",
            [Self.build("a", 1, .success), Self.build("b", 2, .failure)])
        #expect(results == .success)
        #expect(harness.summary == "b #2: failure")
    }

    @Test func `each codebase gets the revision that was fetched`() async throws {
        let harness = try StepHarness(
            properties: ["got_revision": ["app": "r5"]],
            sourceStamps: [
                SourceStamp(revision: "r1", codebase: "app"),
                SourceStamp(revision: "r2", codebase: "docs"),
            ], builds: { _ in [] })
        _ = try await harness.run(try Trigger.configured(yaml: "a"))
        #expect(harness.requests[0].sourceStamps.map(\.revision) == ["r5", "r2"])
    }

    @Test func `what can't be triggered is a failure with a sentence`() async throws {
        let harness = try StepHarness(builds: { _ in
            throw TriggerError("there is no builder 'a'; there is only 'b'")
        })
        let step = try Trigger.configured(yaml: "{builderNames: a, waitForFinish: true}")
        #expect(try await harness.run(step) == .failure)
        #expect(harness.summary == "there is no builder 'a'")
        #expect(harness.log("stdio")?.lines == ["ethere is no builder 'a'; there is only 'b'"])
    }
}
