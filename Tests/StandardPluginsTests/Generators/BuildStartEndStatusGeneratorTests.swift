import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct BuildStartEndStatusGeneratorTests {
    private func count(
        _ yaml: String, _ events: [Event], of build: RecordedBuild
    ) async throws -> Int {
        let generator = try BuildStartEndStatusGenerator.configured(yaml: yaml)
        let reporter = try HttpStatusPush.configured(["serverUrl": "http://h/"])
        let harness = try ReporterHarness()
        var count = 0
        for event in events {
            count += try await harness.reports(
                of: reporter, for: event, of: build, generators: [generator]
            ).count
        }
        return count
    }

    @Test(arguments: Results.allCases)
    func `start and end are reported whatever the result`(_ results: Results) async throws {
        let build = RecordedBuild(results: results)
        #expect(try await count("{}", [build.started, build.finished], of: build) == 2)
    }

    @Test func `filters pick the builder`() async throws {
        let build = RecordedBuild(builder: "linux", tags: ["b"])
        #expect(try await count("{tags: [b]}", [build.started], of: build) == 1)
        #expect(try await count("{builders: [mac]}", [build.started], of: build) == 0)
    }

    @Test func `the report tells the result of the event`() async throws {
        let build = RecordedBuild(results: .cancelled)
        let reporter = try HttpStatusPush.configured(["serverUrl": "http://h/"])
        let harness = try ReporterHarness()
        let start = try await harness.reports(of: reporter, for: build.started, of: build)
        let end = try await harness.reports(of: reporter, for: build.finished, of: build)

        #expect(start.map(\.results) == [nil])
        #expect(end.map(\.results) == [.cancelled])
    }

    @Test func `start and end have formatters of their own`() async throws {
        let build = RecordedBuild(builder: "linux", results: .cancelled)
        let yaml = """
            start_formatter: {formatters.MessageFormatter: "{{ buildername }} begins"}
            end_formatter: {formatters.MessageFormatter: "{{ buildername }} {{ result_name }}"}
            """
        let start = try await ReportRun.report(
            by: BuildStartEndStatusGenerator.self, yaml, of: build.started, in: build)
        let end = try await ReportRun.report(
            by: BuildStartEndStatusGenerator.self, yaml, of: build.finished, in: build)
        #expect(start?.text == "linux begins")
        #expect(end?.text == "linux cancelled")
    }

    @Test func `what has no formatter of its own is made by the reporter`() async throws {
        let yaml = "end_formatter: formatters.MessageFormatterEmpty"
        let build = RecordedBuild()
        let start = try await ReportRun.report(
            by: BuildStartEndStatusGenerator.self, yaml, of: build.started, in: build)
        let end = try await ReportRun.report(
            by: BuildStartEndStatusGenerator.self, yaml, of: build.finished, in: build)
        #expect(start?.json?["complete"] == false)
        #expect(end?.body == .empty)
    }
}
