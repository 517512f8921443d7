import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct BuildStatusGeneratorTests {
    /// The names of the results reported by a generator.
    private func reported(_ yaml: String, previous: Results? = nil) async throws -> [String] {
        let generator = try BuildStatusGenerator.configured(yaml: yaml)
        var names: [String] = []
        for results in Results.allCases {
            let build = RecordedBuild(number: 2, results: results, previousResults: previous)
            if try await isReported(build.finished, by: generator, of: build) {
                names.append(results.name)
            }
        }
        return names
    }

    private func isReported(
        _ event: Event, by generator: BuildStatusGenerator, of build: RecordedBuild
    ) async throws -> Bool {
        let reporter = try HttpStatusPush.configured(["serverUrl": "http://h/"])
        let reports = try await ReporterHarness().reports(
            of: reporter, for: event, of: build, generators: [generator])
        return !reports.isEmpty
    }

    @Test(arguments: [
        ("{}", ["success", "warnings", "failure"]),
        ("all", ["success", "warnings", "failure", "exception", "cancelled"]),
        ("warnings", ["warnings", "failure"]),
        ("[warnings]", ["warnings"]),
        ("failing", ["failure"]),
        ("passing", ["success"]),
        ("exception", ["exception"]),
        ("cancelled", ["cancelled"]),
        ("[passing, cancelled]", ["success", "cancelled"]),
        ("change", []),
        ("problem", []),
    ])
    func `mode picks the results`(_ mode: String, _ expected: [String]) async throws {
        #expect(try await reported(mode) == expected)
    }

    @Test(arguments: [
        (
            "change", Results.success,
            ["warnings", "failure", "skipped", "exception", "retry", "cancelled"]
        ),
        (
            "change", .failure,
            ["success", "warnings", "skipped", "exception", "retry", "cancelled"]
        ),
        ("problem", .success, ["failure"]),
        ("problem", .failure, []),
        ("[problem, passing]", .failure, ["success"]),
    ])
    func `change and problem look at the build before`(
        _ mode: String, _ previous: Results, _ expected: [String]
    ) async throws {
        #expect(try await reported(mode, previous: previous) == expected)
    }

    @Test(arguments: [
        ("tags: [a, b]", true), ("tags: [c]", false), ("builders: [linux]", true),
        ("builders: [mac, linux]", true), ("builders: [lin]", false),
    ])
    func `filters pick the builder`(_ filter: String, _ expected: Bool) async throws {
        let generator = try BuildStatusGenerator.configured(yaml: "{\(filter), report_new: true}")
        let build = RecordedBuild(builder: "linux", tags: ["b", "x"])

        #expect(try await isReported(build.finished, by: generator, of: build) == expected)
        #expect(try await isReported(build.started, by: generator, of: build) == expected)
    }

    @Test func `starts are reported only when asked for, whatever the mode`() async throws {
        let build = RecordedBuild()
        let without = try BuildStatusGenerator.configured()
        let with = try BuildStatusGenerator.configured(["report_new": true, "mode": "exception"])

        #expect(without.wantedEvents == [.buildFinished])
        #expect(with.wantedEvents == [.buildNew, .buildFinished])
        #expect(try await isReported(build.started, by: without, of: build) == false)
        #expect(try await isReported(build.started, by: with, of: build) == true)
        #expect(try await isReported(build.finished, by: with, of: build) == false)
    }

    @Test(arguments: [
        ("schedulers: [force, nightly]", true), ("schedulers: [nightly]", false),
        ("branches: [main]", true), ("branches: [next]", false), ("branches: [1.10]", false),
        ("{schedulers: [force], branches: [main], tags: [b]}", true),
        ("{schedulers: [force], branches: [next]}", false),
        ("{builders: [linux], schedulers: [nightly]}", false),
    ])
    func `filters read properties, and all of them must hold`(
        _ filter: String, _ expected: Bool
    ) async throws {
        let build = RecordedBuild(
            builder: "linux", tags: ["b"], properties: ["scheduler": "force", "branch": "main"])
        let report = try await ReportRun.report(
            by: BuildStatusGenerator.self, filter, of: build.finished, in: build,
            reporter: "want_properties: false")
        #expect((report != nil) == expected)
        #expect(report?.json?["properties"] == (expected ? [:] : nil))
    }

    @Test func `a build without scheduler or branch meets no filter of them`() async throws {
        let build = RecordedBuild(sourceStamps: [])
        for filter in ["schedulers: [force]", "branches: [main]"] {
            let report = try await ReportRun.report(
                by: BuildStatusGenerator.self, filter, of: build.finished, in: build)
            #expect(report == nil)
        }
    }

    @Test(arguments: ["branch", "other"])
    func `the default branch is an empty text`(_ property: String) async throws {
        let build = RecordedBuild(properties: [property: nil])
        let report = try await ReportRun.report(
            by: BuildStatusGenerator.self, #"branches: [""]"#, of: build.finished, in: build)
        #expect(report != nil)
    }

    @Test func `the mode reaches the formatter, its own or the reporter's`() async throws {
        let build = RecordedBuild(number: 2, results: .failure, previousResults: .success)
        let own = try await ReportRun.report(
            by: BuildStatusGenerator.self,
            #"{mode: change, message_formatter: {formatters.MessageFormatter: "{{ mode }} {{ status_detected }}"}}"#,
            of: build.finished, in: build)
        #expect(own?.text == #"["change"] new failure"#)
        let shaped = try await ReportRun.report(
            by: BuildStatusGenerator.self, "mode: [problem]", of: build.finished, in: build,
            reporter: #"format: "{{ mode.0 }} {{ status_detected }}""#)
        #expect(shaped?.json == "problem new failure")
    }

    @Test func `patches are added when asked for`() async throws {
        var event = RecordedBuild().finished
        var record = event.record
        record["buildset"]?["sourcestamps"] = [
            ["branch": "a", "patch": nil], ["branch": "b", "patch": ["level": 1]],
        ]
        event = Event(at: event.at, kind: event.kind, lane: 1, buildID: 1, record: record)
        let with = try await ReportRun.report(
            by: BuildStatusGenerator.self, "add_patch: true", of: event)
        let without = try await ReportRun.report(by: BuildStatusGenerator.self, of: event)
        #expect(with?.patches == [["level": 1]])
        #expect(without?.patches == [])
    }

    @Test func `add_logs goes before what the formatter wants`() async throws {
        let build = RecordedBuild(steps: [
            ["name": "test", "logs": [["name": "stdio", "content": ["content": "x"]]]]
        ])
        let with = try await ReportRun.report(
            by: BuildStatusGenerator.self, "add_logs: [stdio]", of: build.finished, in: build)
        #expect(with?.logs.map { $0["name"] } == ["stdio"])
        #expect(with?.json?["steps"]?[0]?["logs"] != nil)
    }
}
