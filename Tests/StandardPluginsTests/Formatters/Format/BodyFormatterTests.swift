import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

@testable import StandardPlugins

struct BodyFormatterTests {
    /// The body created by a format for a finished build.
    private func body(
        _ format: String, _ build: RecordedBuild = RecordedBuild(), mode: String? = nil,
        start: Bool = false
    ) async throws -> JSONValue {
        let lines = format.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        let reporter = try HttpStatusPush.configured(
            yaml: "serverUrl: http://h/\nformat:\n\(lines)", scope: .service)
        let generator = try mode.map { try BuildStatusGenerator.configured(yaml: $0) }
        let harness = try ReporterHarness(
            identity: MasterIdentity(
                title: "Title", titleURL: "http://title/", buildbotURL: "http://ci/"))
        let reports = try await harness.reports(
            of: reporter, for: start ? build.started : build.finished, of: build,
            generators: generator.map { [$0] })
        guard case .json(let value) = try #require(reports.first).body else { return .null }
        return value
    }

    @Test func `every text is a template, and fields keep their type`() async throws {
        let value = try await body(
            """
            text: "{{ buildername }} #{{ build.number }}: {{ result_name }}"
            number: !Field build.number
            complete: !Field build.complete
            tags: !Field build.builder.tags
            missing: !Field build.parentbuild.number
            "key {{ results }}": [1.10, true, null, "{{ build.state_string }}"]
            """, RecordedBuild(number: 7, builder: "linux", tags: ["a"], results: .warnings))

        #expect(
            JSONWriter.compact.string(value)
                == #"{"text":"linux #7: warnings","number":7,"complete":true,"tags":["a"],"#
                + #""missing":null,"key 1":[1.10,true,null,"build successful"]}"#)
    }

    @Test func `properties are values by name`() async throws {
        let build = RecordedBuild(
            properties: [
                "branch": "main", "workername": "w0", "list": [1], "owner": "b",
                "owners": ["a", "b"],
            ])
        let value = try await body(
            """
            branch: "{{ properties.branch }}"
            list: !Field properties.list
            also: !Property branch
            interpolated: !Interpolate "on %(prop:branch)s at %(src::revision:-HEAD)s"
            worker: "{{ workername }}"
            people: !Field blamelist
            """, build)

        #expect(
            value == [
                "branch": "main", "list": [1], "also": "main", "interpolated": "on main at ",
                "worker": "w0", "people": ["a", "b"],
            ])
    }

    @Test func `authors of changes are responsible, too`() async throws {
        var build = RecordedBuild(properties: ["owner": "b"])
        build.authors = ["Cleo <c@example.org>", "Ann <a@example.org>", "b"]
        let value = try await body("people: !Field blamelist", build)
        #expect(value == ["people": ["Ann <a@example.org>", "Cleo <c@example.org>", "b"]])
    }

    @Test func `the newest changes are there where they are named`() async throws {
        var build = RecordedBuild()
        build.changes = (1...101).map { number in
            Change(
                author: "Ann <a\(number)@example.org>", comments: "change \(number)",
                sourceStamp: SourceStamp(revision: "r\(number)"), when: .now)
        }
        let value = try await body(
            """
            count: "{{ build.changes.count }}"
            first: "{{ build.changes[0].comments }} at {{ build.changes[0].revision }}"
            """, build)
        #expect(value == ["count": "100", "first": "change 2 at r2"])
        let whole = try await body("build: !Field build", build)
        #expect(whole["build"]?["changes"] == nil)
    }

    @Test func `texts with quotes and line ends stay one JSON text`() async throws {
        let build = RecordedBuild(stateString: "said \"no\"\nand \\ left")
        let value = try await body(#"text: "{{ build.state_string }}""#, build)
        #expect(value == ["text": "said \"no\"\nand \\ left"])
    }

    @Test(arguments: [
        (Results.failure, Results.success, "change", "new failure", "BUILD FAILED: done"),
        (.failure, .failure, "[change, failing]", "failed build", "BUILD FAILED: done"),
        (.failure, .success, "all", "failed build", "BUILD FAILED: done"),
        (.success, .failure, "change", "restored build", "Build succeeded!"),
        (.success, .failure, "[problem, passing]", "passing build", "Build succeeded!"),
        (.warnings, .success, "all", "problem in the build", "Build Had Warnings: done"),
        (.exception, .success, "all", "build exception", "BUILD FAILED: done"),
        (.cancelled, .success, "all", "cancelled build", "Build was cancelled"),
    ])
    func `the words tell how the build went`(
        _ results: Results, _ previous: Results, _ mode: String, _ status: String,
        _ summary: String
    ) async throws {
        let build = RecordedBuild(
            number: 2, results: results, stateString: "done", previousResults: previous)
        let value = try await body(
            """
            status: "{{ status_detected }}"
            summary: "{{ summary }}"
            previous: !Field previous_results
            """, build, mode: mode)

        #expect(
            value == [
                "status": .string(status), "summary": .string(summary),
                "previous": .int(previous.rawValue),
            ])
    }

    @Test func `a start has no result`() async throws {
        let value = try await body(
            """
            - !Field results
            - "{{ result_name }}"
            - "{{ summary }}"
            """, start: true)
        #expect(value == [nil, "not finished", "Build started"])
    }

    @Test func `the master and the sources are told`() async throws {
        let value = try await body(
            """
            - "{{ buildbot_title }} {{ title_url }} {{ buildbot_url }} {{ build_url }} {{ projects }}"
            - "{{ sourcestamps }}"
            - !Field is_buildset
            - !Field mode
            - !Field result_names
            - !Field buildset.bsid
            """, mode: "[failing, passing]")

        #expect(
            value == [
                "Title http://title/ http://ci/ http://localhost:8010/#/builders/1/builds/1 Title",
                "Source: HEAD", false, ["failing", "passing"],
                ["success", "warnings", "failure", "skipped", "exception", "retry", "cancelled"],
                1,
            ])
    }

    @Test(arguments: [
        (#"a: "{{ build.number }}""#, BuildDetails(properties: false)),
        (#"a: "{{ properties.x }}""#, BuildDetails(properties: false)),
        ("a: !Property x", BuildDetails(properties: false)),
        (#"a: "{{ previous_results }}""#, BuildDetails(properties: false, previousResults: true)),
        (
            #"a: "{% for b in builds %}{{ b.steps.0.name }}{% endfor %}""#,
            BuildDetails(properties: true, steps: true)
        ),
        (#"a: "{{ properties.steps }}""#, BuildDetails(properties: false)),
        ("a: !Field build.properties", BuildDetails(properties: true)),
        ("a: !Field build.steps", BuildDetails(properties: false, steps: true)),
        (
            #"a: "{% for s in build.steps %}{{ s.name }}{% endfor %}""#,
            BuildDetails(properties: false, steps: true)
        ),
        (
            #"a: "{% for s in build.steps %}{{ s.logs.0.name }}{% endfor %}""#,
            BuildDetails(properties: false, steps: true, logs: true)
        ),
        (
            #"a: "{{ build.steps.0.logs.0.content.content }}""#,
            BuildDetails(properties: false, steps: true, logs: true, logContents: .all)
        ),
    ])
    func `what the format uses is fetched`(_ format: String, _ wanted: BuildDetails) throws {
        let reporter = try HttpStatusPush.configured(
            yaml: "serverUrl: http://h/\nwant_properties: false\nformat:\n  \(format)",
            scope: .service)
        #expect(reporter.defaultFormatter.wanted == wanted)
    }
}
