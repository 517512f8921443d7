import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct MessageFormatterRenderableTests {
    private let build = RecordedBuild(
        number: 3, builder: "linux",
        properties: ["branch": "main", "list": [1, "two"], "count": 1.50])

    private func report(_ yaml: String) async throws -> Report {
        try await ReportRun.report(
            with: MessageFormatterRenderable.self, yaml, of: build.finished, in: build)
    }

    @Test(arguments: [
        (#"!Interpolate "on %(prop:branch)s""#, Report.Body.plain("on main")),
        ("!Property count", .plain("1.5")),
        (#"!Template "{{ buildername }}""#, .plain("linux")),
        ("!Property list", .json([1, "two"])),
        (
            "{template: {a: !Property branch, b: !Field build.number}}",
            .json(["a": "main", "b": 3])
        ),
        ("just words", .plain("just words")),
    ])
    func `the value is the body`(_ yaml: String, _ body: Report.Body) async throws {
        #expect(try await report(yaml).body == body)
    }

    @Test func `the subject is computed, too`() async throws {
        let report = try await report(
            #"{template: a, subject: !Interpolate "about %(prop:branch)s"}"#)
        #expect(report.subject == "about main")
        #expect(try await self.report("a").subject == "success: linux (Title)")
    }

    @Test func `a body that comes out null is an error that names the remedy`() async throws {
        let error = await #expect(throws: RenderError.self) {
            try await report("!Property missing")
        }
        #expect(
            error?.message
                == "'template' of formatters.MessageFormatterRenderable rendered to null; give what "
                + "it refers to a default")
    }

    @Test func `what the value uses is fetched`() throws {
        let formatter = try MessageFormatterRenderable.configured(
            yaml: "{template: !Field build.steps, want_properties: false}", scope: .service)
        #expect(formatter.wanted == BuildDetails(properties: false, steps: true))
    }
}
