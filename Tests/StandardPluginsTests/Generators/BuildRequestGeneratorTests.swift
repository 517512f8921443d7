import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct BuildRequestGeneratorTests {
    private func report(
        _ yaml: String = "{}", of event: Event, _ build: RecordedBuild = RecordedBuild()
    ) async throws -> Report? {
        try await ReportRun.report(by: BuildRequestGenerator.self, yaml, of: event, in: build)
    }

    @Test func `a new request is reported with what is known of its build`() async throws {
        let build = RecordedBuild(number: 4, builder: "linux", properties: ["owner": "ann"])
        let report = try #require(try await report(of: build.requested, build))
        let record = try #require(report.json?.objectValue)

        #expect(
            record.keys == [
                "builder", "builderid", "buildrequest", "buildset", "complete", "properties",
                "results", "url",
            ])
        #expect(record["builder"]?["name"] == "linux")
        #expect(record["complete"] == false)
        #expect(record["results"] == .null)
        #expect(record["url"] == "http://localhost:8080/#/buildrequests/4")
        #expect(report.results == nil)
        #expect(report.users == ["ann"])
        #expect(report.subject == "not finished: linux (Title)")
    }

    @Test func `a cancelled request is complete and cancelled`() async throws {
        let report = try #require(try await report(of: RecordedBuild().requestCancelled))
        #expect(report.results == .cancelled)
        #expect(report.json?["complete"] == true)
        #expect(report.json?["results"] == 6)
        #expect(report.json?["buildrequest"]?["results"] == 6)
    }

    @Test func `a collapsed request has the results of the build in its place`() async throws {
        let build = RecordedBuild(
            number: 4, builder: "linux", results: .failure,
            sourceStamps: [SourceStamp(branch: "main", revision: "new")])
        let stamps = [SourceStamp(branch: "main", revision: "old")]
        let events = build.collapsing(3, stamps)
        let start = try #require(try await report(of: events[0], build))
        #expect(start.results == nil)
        let end = try #require(try await report(of: events[1], build))
        #expect(end.results == .failure)
        for report in [start, end] {
            #expect(report.json?["number"] == 4)
            #expect(report.json?["buildrequest"]?["buildrequestid"] == 3)
            #expect(report.json?["buildset"]?["sourcestamps"]?[0]?["revision"] == "old")
        }
        #expect(end.subject == "failure: linux (Title)")
        let words = "formatter: {formatters.MessageFormatter: '{{ summary }}'}"
        #expect(try await self.report(words, of: events[0], build)?.text == "Build started")
    }

    @Test(arguments: [
        ("{}", [EventKind.buildrequestNew, .buildrequestCancelled, .buildrequestCollapsed]),
        ("events: [new]", [.buildrequestNew]),
        ("events: [cancelled]", [.buildrequestCancelled]),
        ("events: [cancel]", [.buildrequestCancelled]),
        ("events: [collapsed, new]", [.buildrequestCollapsed, .buildrequestNew]),
    ])
    func `the events can be picked, also in Buildbot's words`(
        _ yaml: String, _ kinds: [EventKind]
    ) throws {
        #expect(try BuildRequestGenerator.configured(yaml: yaml).wantedEvents == Set(kinds))
    }

    @Test(arguments: [
        ("tags: [nightly]", true), ("tags: [other]", false), ("builders: [linux]", true),
        ("builders: [mac]", false), ("branches: [main]", true), ("branches: [next]", false),
        ("schedulers: [force]", true), ("schedulers: [nightly]", false),
        ("{branches: [main], schedulers: [nightly]}", false),
    ])
    func `filters look at what is known of the build`(
        _ filter: String, _ expected: Bool
    ) async throws {
        let build = RecordedBuild(
            builder: "linux", tags: ["nightly"], properties: ["scheduler": "force"],
            sourceStamps: [SourceStamp(branch: "main")])
        #expect(try await (report(filter, of: build.requested, build) != nil) == expected)
    }

    @Test(arguments: ["formatter", "message_formatter"])
    func `a formatter of its own makes the words`(_ name: String) async throws {
        let report = try await report(
            #"{\#(name): {formatters.MessageFormatter: "{{ summary }} for {{ buildername }}"}}"#,
            of: RecordedBuild(builder: "linux").requested)
        #expect(report?.text == "Build requested for linux")
        #expect(report?.subject == "Build requested: linux (Title)")
    }
}
