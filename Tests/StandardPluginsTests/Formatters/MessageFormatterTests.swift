import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct MessageFormatterTests {
    private let build = RecordedBuild(
        number: 3, builder: "linux", results: .failure, stateString: "broke <b> & \"c\"",
        properties: ["got_revision": "abc", "workername": "w0", "owner": "ann"],
        steps: [
            [
                "number": 1, "name": "test", "results": 2, "state_string": "failed",
                "logs": [["name": "stdio", "url": "http://l/"]],
            ]
        ])

    private func report(_ yaml: String, of event: Event? = nil) async throws -> Report {
        try await ReportRun.report(
            with: TemplateMessageFormatter.self, yaml, of: event ?? build.finished, in: build)
    }

    @Test(arguments: [
        (#""{{ build.state_string }}""#, Report.Body.plain("broke <b> & \"c\"")),
        (
            #"{template: "<p>{{ build.state_string }}</p>", template_type: html}"#,
            .html("<p>broke &lt;b&gt; &amp; &quot;c&quot;</p>")
        ),
        (
            #"{template: "{{ ctx_text | safe }}", ctx: {ctx_text: <i>}, template_type: html}"#,
            .html("<i>")
        ),
        (
            #"{template: '{"a": {{ build.state_string | json }}, "b": [1.10]}', template_type: json}"#,
            .json(["a": "broke <b> & \"c\"", "b": [1.10]])
        ),
        (
            #"{template: '{"a": "it {{ build.state_string }}", "b": {{ build.number }}}', template_type: json}"#,
            .json(["a": "it broke <b> & \"c\"", "b": 3])
        ),
        ("{template: '{{ x }}{{ buildername }}', ctx: {x: 1, buildername: mine}}", .plain("1mine")),
    ])
    func `the template makes the body`(_ yaml: String, _ body: Report.Body) async throws {
        #expect(try await report(yaml).body == body)
    }

    @Test func `a text that is not JSON is an error, and nothing is sent`() async throws {
        let error = await #expect(throws: RenderError.self) {
            try await report(#"{template: '{"a": {{ build.state_string }}', template_type: json}"#)
        }
        let message = try #require(error?.message)
        #expect(message.hasPrefix("'template' did not render to valid JSON: "))
        #expect(
            message.hasSuffix(
                "write {{ }} inside quotes for a text, and without quotes for any other value"))
    }

    @Test(arguments: [
        ("{{ failed_step.name }}", BuildDetails(properties: false, steps: true)),
        (
            "{{ failed_step.logs.0.text }}",
            BuildDetails(properties: false, steps: true, logs: true, logContents: .all)
        ),
        (
            "{% for s in build.steps %}{% for l in s.get('logs') %}{{ l.text }}{% endfor %}{% endfor %}",
            BuildDetails(properties: false, steps: true, logs: true, logContents: .all)
        ),
        ("{{ duration }}", BuildDetails(properties: false)),
    ])
    func `what a template names is fetched`(_ template: String, _ wanted: BuildDetails) throws {
        let formatter = try TemplateMessageFormatter.configured(
            ["template": .string(template), "tail": 20, "want_properties": false],
            scope: .service)
        var expected = wanted
        expected.logTail = 20
        #expect(formatter.wanted == expected)
    }

    @Test func `a subject is a template of one line`() async throws {
        let report = try await report(#"{subject: "{{ summary }}", template: a}"#)
        #expect(report.subject == "BUILD FAILED: broke <b> & \"c\"")
        let lines = RecordedBuild(stateString: "a\r\nb\nc")
        let other = try await ReportRun.report(
            with: TemplateMessageFormatter.self, #"{subject: "{{ build.state_string }}"}"#,
            of: lines.finished, in: lines)
        #expect(other.subject == "a b c")
    }

    @Test func `by default a build is described in plain words`() async throws {
        let report = try await report("{}")
        #expect(report.subject == "failed build: linux #3 (Title)")
        #expect(
            report.text == """
                BUILD FAILED: broke <b> & "c"

                Builder:  linux #3 (failed build)
                Project:  Title
                Address:  http://localhost:8010/#/builders/1/builds/3
                Revision: abc
                Worker:   w0
                Reason:   test
                People:   ann

                1. test: failure (failed)
                   stdio: http://l/

                """)
    }

    @Test(
        arguments: [
            (["got_revision": "abc", "revision": "main"], "abc"), (["revision": "def"], "def"),
            (["revision": nil], "unknown"), ([:], "unknown"),
        ] as [(JSONObject, String)])
    func `the revision is the one that was built, or else the one that was asked for`(
        _ properties: JSONObject, _ revision: String
    ) async throws {
        let build = RecordedBuild(properties: properties)
        let report = try await ReportRun.report(
            with: TemplateMessageFormatter.self, "{}", of: build.finished, in: build)
        #expect(report.text?.contains("\nRevision: \(revision)\n") == true)
    }

    @Test func `in HTML the description is escaped`() async throws {
        let report = try await report("template_type: html")
        #expect(report.body.kind == .html)
        #expect(report.text?.hasPrefix("<pre>\nBUILD FAILED: broke &lt;b&gt; &amp;") == true)
        #expect(report.text?.hasSuffix("</pre>\n") == true)
    }

    @Test func `steps, requests and buildsets have descriptions of their own`() async throws {
        let step = try await report("{}", of: build.stepFinished("test", .success))
        #expect(step.text?.contains("Step:    1. test (passing step)\n") == true)
        let request = try await report("{}", of: build.requested)
        #expect(request.text?.hasPrefix("Build requested\n\nBuilder: linux\n") == true)
        let buildset = RecordedBuildset([build, RecordedBuild(number: 5, builder: "mac")])
        let whole = try await ReportRun.report(
            with: TemplateMessageFormatter.self, "{}", of: buildset.finished, in: buildset)
        #expect(whole.subject == "failed build: whole buildset (Title)")
        #expect(
            whole.text?.hasSuffix(
                """
                linux #3: failure (broke <b> & "c")
                   http://localhost:8010/#/builders/1/builds/3
                mac #5: success (build successful)
                   http://localhost:8010/#/builders/1/builds/5

                """) == true, "\(whole)")
    }

    @Test(arguments: [
        ("{}", BuildDetails(properties: true, steps: true, logs: true)),
        ("{template: a}", BuildDetails()),
        ("{template: a, want_properties: false}", BuildDetails(properties: false)),
        ("{template: a, want_steps: true}", BuildDetails(steps: true)),
        ("{template: a, want_logs: true}", BuildDetails(logs: true)),
        ("{template: a, want_logs_content: true}", BuildDetails(logContents: .all)),
        ("{template: a, want_logs_content: [stdio]}", BuildDetails(logContents: .named(["stdio"]))),
        (#"{template: "{{ build.steps.0.name }}"}"#, BuildDetails(steps: true)),
        (#"{template: a, subject: "{{ previous_results }}"}"#, BuildDetails(previousResults: true)),
    ])
    func `what is asked for and used is fetched`(_ yaml: String, _ wanted: BuildDetails) throws {
        let formatter = try TemplateMessageFormatter.configured(yaml: yaml, scope: .service)
        #expect(formatter.wanted == wanted)
    }

    @Test func `logs whose content is wanted are in the report`() async throws {
        let build = RecordedBuild(steps: [
            ["name": "test", "logs": [["name": "a", "content": ["content": "x"]], ["name": "b"]]]
        ])
        let report = try await ReportRun.report(
            with: TemplateMessageFormatter.self, "{template: a, want_logs_content: [a]}",
            of: build.finished, in: build)
        #expect(report.logs.map { $0["name"] } == ["a"])
    }
}
