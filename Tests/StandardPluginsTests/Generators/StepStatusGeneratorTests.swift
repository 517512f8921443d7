import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct StepStatusGeneratorTests {
    private func report(
        _ yaml: String = "{}", of event: Event, _ build: RecordedBuild = RecordedBuild()
    ) async throws -> Report? {
        try await ReportRun.report(by: StepStatusGenerator.self, yaml, of: event, in: build)
    }

    @Test(arguments: Results.allCases)
    func `without a mode every end is reported`(_ results: Results) async throws {
        let report = try await report(of: RecordedBuild().stepFinished("test", results))
        #expect(report?.results == results)
    }

    @Test func `the record is the step with its build`() async throws {
        let build = RecordedBuild(number: 3, builder: "linux")
        let report = try #require(try await report(of: build.stepFinished("test"), build))
        let record = try #require(report.json?.objectValue)
        #expect(
            record.keys == [
                "stepid", "number", "name", "buildid", "started_at", "locks_acquired_at",
                "complete", "complete_at", "state_string", "results", "urls", "hidden", "build",
            ])
        #expect(record["name"] == "test")
        #expect(record["build"]?["builder"]?["name"] == "linux")
        #expect(record["build"]?["complete"] == false)
        #expect(report.buildIDs == [3])
        #expect(report.subject == "success: linux (Title)")
    }

    @Test(arguments: [
        ("all", ["success", "warnings", "failure", "exception", "cancelled"]),
        ("failing", ["failure"]), ("[warnings, exception]", ["warnings", "exception"]),
        ("change", []),
    ])
    func `mode picks by the result of the step`(_ mode: String, _ expected: [String]) async throws {
        var reported: [String] = []
        for results in Results.allCases {
            if try await report(mode, of: RecordedBuild().stepFinished("test", results)) != nil {
                reported.append(results.name)
            }
        }
        #expect(reported == expected)
    }

    @Test func `change and problem look at the step of the same name in the build before`()
        async throws
    {
        let build = RecordedBuild(
            number: 2, previousSteps: ["test": .success, "lint": .failure])
        let failed = build.stepFinished("test", .failure)
        #expect(try await report("change", of: failed, build) != nil)
        #expect(try await report("problem", of: failed, build) != nil)
        #expect(try await report("change", of: build.stepFinished("test"), build) == nil)
        #expect(try await report("problem", of: build.stepFinished("lint", .failure), build) == nil)
        #expect(try await report("change", of: build.stepFinished("new", .failure), build) == nil)
    }

    @Test(arguments: [
        ("steps: [test, lint]", true), ("steps: [build]", false), ("builders: [linux]", true),
        ("builders: [mac]", false), ("{steps: [test], tags: [a]}", true),
        ("{steps: [test], tags: [b]}", false), ("branches: [main]", true),
        ("schedulers: [force]", false),
    ])
    func `steps and filters pick`(_ yaml: String, _ expected: Bool) async throws {
        let build = RecordedBuild(
            builder: "linux", tags: ["a"], properties: ["branch": "main"])
        #expect(
            try await (report(yaml, of: build.stepFinished("test"), build) != nil) == expected)
    }

    @Test func `starts are reported when asked for, whatever the mode`() async throws {
        let generator = try StepStatusGenerator.configured(yaml: "{}")
        #expect(generator.wantedEvents == [.stepFinished])
        let both = "{events: [started, finished], mode: failing}"
        let start = try await report(both, of: RecordedBuild().stepStarted("test"))
        #expect(start != nil)
        #expect(start?.results == nil)
        #expect(try await report(both, of: RecordedBuild().stepFinished("test")) == nil)
    }

    @Test func `a formatter speaks of the step`() async throws {
        let build = RecordedBuild(
            number: 2, builder: "linux", previousSteps: ["test": .success])
        let report = try await report(
            """
            mode: change
            message_formatter:
              formatters.MessageFormatter: >-
                {{ status_detected }}, {{ summary }}, {{ step.name }} of {{ build.number }}
            """, of: build.stepFinished("test", .failure), build)
        #expect(report?.text == "new failure, STEP FAILED: 'test', test of 2")
        #expect(report?.subject == "new failure: test of linux #2 (Title)")
    }
}
