import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct BuildSetStatusGeneratorTests {
    private let buildset = RecordedBuildset([
        RecordedBuild(
            number: 2, builder: "linux", tags: ["unix"], results: .failure, stateString: "broken",
            properties: ["owner": "zoe", "branch": "main"], previousResults: .success),
        RecordedBuild(
            number: 4, builder: "mac", tags: ["unix"], properties: ["owner": "ann"],
            previousResults: .success),
        RecordedBuild(number: 6, builder: "windows", results: .exception),
    ])

    private func report(_ yaml: String) async throws -> Report? {
        try await ReportRun.report(
            by: BuildSetStatusGenerator.self, yaml, of: buildset.finished, in: buildset)
    }

    private static let lines =
        "message_formatter: {formatters.MessageFormatter: "
        + #""{{ buildername }}: {{ status_detected }}\n"}"#

    @Test func `the messages of the builds that match are put together`() async throws {
        let report = try #require(try await report("{\(Self.lines)}"))
        #expect(report.text == "linux: failed build\nmac: passing build\n")
        #expect(report.results == .failure)
        #expect(report.buildIDs == [2, 4])
        #expect(report.builds.map { $0["number"] } == [2, 4])
        #expect(report.users == ["ann", "zoe"])
    }

    @Test(arguments: [
        ("mode: all", "linux: failed build\nmac: passing build\nwindows: build exception\n"),
        ("mode: [exception]", "windows: build exception\n"),
        ("mode: change", "linux: new failure\n"),
        ("mode: problem", "linux: new failure\n"),
        ("tags: [unix], mode: failing", "linux: failed build\n"),
        ("builders: [mac, windows]", "mac: passing build\n"),
        ("branches: [main]", "linux: failed build\n"),
    ])
    func `mode and filters pick the builds`(_ settings: String, _ text: String) async throws {
        #expect(try await report("{\(settings), \(Self.lines)}")?.text == text)
    }

    @Test func `without a build that matches there is no report`() async throws {
        #expect(try await report("mode: cancelled") == nil)
        #expect(try await report("builders: [other]") == nil)
    }

    @Test func `the subject is that of the worst build`() async throws {
        let formatter =
            "message_formatter: {formatters.MessageFormatter: "
            + #"{template: x, subject: "{{ buildername }}: {{ status_detected }}"}}"#
        let buildset = RecordedBuildset([
            RecordedBuild(number: 1, builder: "linux", results: .success),
            RecordedBuild(number: 2, builder: "mac", results: .failure),
            RecordedBuild(number: 3, builder: "windows", results: .failure),
            RecordedBuild(number: 4, builder: "docs", results: .warnings),
        ])
        let report = try await ReportRun.report(
            by: BuildSetStatusGenerator.self, "{mode: all, \(formatter)}", of: buildset.finished,
            in: buildset)
        #expect(report?.results == .failure)
        #expect(report?.subject == "mac: failed build")
    }

    @Test func `a formatter without a subject leaves that of the whole`() async throws {
        let report = try await report(
            "message_formatter: {formatters.MessageFormatterRenderable: !Property owner}")
        #expect(report?.subject == "failure: whole buildset (Title)")
        #expect(report?.text == "zoeann")
    }

    @Test func `of bodies that don't go together the first stays, and that is said`() async throws {
        let harness = try ReporterHarness()
        let report = try await ReportRun.report(
            by: BuildSetStatusGenerator.self, of: buildset.finished, in: buildset, harness: harness)
        #expect(report?.json?["number"] == 2)
        #expect(report?.builds.count == 2)
        #expect(
            harness.log.texts == [
                "the report of build 4 is left out, as its body can't be put together with that "
                    + "of another build; only texts and lists can"
            ])
    }

    @Test func `only ends of buildsets are asked for`() throws {
        #expect(
            try BuildSetStatusGenerator.configured().wantedEvents == [.buildsetFinished])
    }
}
