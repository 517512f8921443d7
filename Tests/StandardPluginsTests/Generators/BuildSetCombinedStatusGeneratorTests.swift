import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct BuildSetCombinedStatusGeneratorTests {
    private func report(
        _ yaml: String = "{}", _ builds: [RecordedBuild], properties: JSONObject = [:],
        reporter: String = ""
    ) async throws -> Report? {
        let buildset = RecordedBuildset(builds, properties: properties)
        return try await ReportRun.report(
            by: BuildSetCombinedStatusGenerator.self, yaml, of: buildset.finished, in: buildset,
            reporter: reporter)
    }

    private let builds = [
        RecordedBuild(number: 1, builder: "linux", results: .warnings),
        RecordedBuild(number: 2, builder: "mac", results: .cancelled),
    ]

    @Test func `the record is the buildset with its builds`() async throws {
        let report = try #require(try await report("{}", builds))
        let record = try #require(report.json?.objectValue)
        #expect(
            record.keys == [
                "bsid", "external_idstring", "reason", "submitted_at", "complete", "complete_at",
                "results", "parent_buildid", "parent_relationship", "rebuilt_buildid",
                "sourcestamps", "builds",
            ])
        #expect(record["builds"]?.arrayValue?.map { $0["builder"]?["name"] } == ["linux", "mac"])
        #expect(report.results == .cancelled)
        #expect(report.subject == "cancelled: whole buildset (Title)")
        #expect(report.buildset?["bsid"] == 1)
        #expect(report.buildset?["builds"] == nil)
    }

    @Test func `one message tells of all builds`() async throws {
        let report = try #require(
            try await report(
                """
                message_formatter:
                  formatters.MessageFormatter:
                    template: "{% for b in builds %}{{ b.builder.name }} {% endfor %}{{ is_buildset }}"
                    subject: "{{ result_name }} of {{ builds.count }}"
                """, builds))
        #expect(report.text == "linux mac true")
        #expect(report.subject == "cancelled of 2")
    }

    @Test func `a buildset without builds is reported, too`() async throws {
        let report = try #require(try await report("{}", []))
        #expect(report.json?["builds"] == [])
        #expect(report.results == .success)
    }

    @Test func `format shapes the body, and properties are those the builds began with`()
        async throws
    {
        let report = try #require(
            try await report(
                "{}", builds, properties: ["owner": "ann", "release": "1.2"],
                reporter: """
                    format:
                      release: !Property release
                      people: !Field blamelist
                      kind: "{{ kind }}"
                      build: !Field build
                      names: "{% for b in builds %}{{ b.builder.name }};{% endfor %}"
                    """))
        #expect(
            report.json == [
                "release": "1.2", "people": ["ann"], "kind": "buildset", "build": nil,
                "names": "linux;mac;",
            ])
    }
}
