import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct ExtractionTests {
    private static let answer = ServerAnswer.respond(
        status: 201,
        headers: [("ETag", "\"v1\""), ("X-Many", "a"), ("X-Many", "b")],
        body: Array(#"{"version": 1.10, "a/b": {"~": [1, {"deep": "x"}]}, "none": null}"#.utf8))

    @Test func `parts of an answer become properties`() async throws {
        let run = try await StepRun.of(
            POST.self,
            """
            url: SERVER/
            extract:
              version: {json: /version}
              deep: {json: /a~1b/~0/1/deep}
              list: {json: /a~1b/~0}
              none: {json: /none}
              whole: {json: ""}
              tag: {header: etag}
              many: {header: X-Many}
              code: {status: true}
              !Property name: {status: true}
            """, properties: ["name": "computed"]
        ) { _ in Self.answer }

        #expect(run.results == .success)
        let properties = run.harness.properties
        #expect(properties["version"]?.numberValue?.spelling == "1.10")
        #expect(properties["deep"] == "x")
        #expect(properties["list"] == [1, ["deep": "x"]])
        #expect(properties["none"] == .null)
        #expect(properties["whole"]?["none"] == .null)
        #expect(properties["tag"] == "\"v1\"")
        #expect(properties["many"] == "a, b")
        #expect(properties["code"] == 201)
        #expect(properties["computed"] == 201)
        #expect(properties.json["version"]?[1] == "POST")
        #expect(run.log("log")?.contains("hProperties:\nh\tversion: 1.10\n") == true)
    }

    @Test(arguments: [
        ("{json: /version/x}", "there is nothing at /version/x; /version is a number"),
        ("{json: /b}", "there is nothing at /b; the body is a mapping of version, a/b, none"),
        (
            "{json: /a~1b/~0/2}",
            "there is nothing at /a~1b/~0/2; /a~1b/~0 is a list of 2, from /0 on"
        ),
        ("{json: /none/x}", "there is nothing at /none/x; /none is null"),
        ("{header: Location}", "there is no header Location"),
    ])
    func `what is not there fails the step, and nothing is set`(
        _ place: String, _ reason: String
    ) async throws {
        let run = try await StepRun.of(
            GET.self, "{url: SERVER/, extract: {tag: {header: ETag}, x: \(place)}}"
        ) { _ in Self.answer }

        #expect(run.results == .failure)
        #expect(run.log("log")?.contains("eThe property 'x' is missing: \(reason)\n") == true)
        #expect(run.harness.summary == "Status code: 201, no x")
        #expect(run.harness.properties["tag"] == nil)
    }

    @Test(arguments: [
        ("", "the body is empty"), ("<html>", "the body is not valid JSON: "),
        ("{", "the body is not valid JSON: "),
    ])
    func `a body that is not JSON is told`(_ body: String, _ reason: String) async throws {
        let run = try await StepRun.of(
            GET.self, "{url: SERVER/, extract: {x: {json: /a}, y: {json: /b}}}"
        ) { _ in .text(body) }

        #expect(run.results == .failure)
        for name in ["x", "y"] {
            let line = "eThe property '\(name)' is missing: \(reason)"
            #expect(run.log("log")?.contains(line) == true)
        }
    }

    @Test func `a body may begin with a byte order mark`() async throws {
        let run = try await StepRun.of(
            GET.self, "{url: SERVER/, extract: {x: {json: /a}}}"
        ) { _ in .text("\u{FEFF}{\"a\": 1}") }

        #expect(run.results == .success)
        #expect(run.harness.properties["x"] == 1)
    }

    @Test func `nothing is taken from an answer that is no success`() async throws {
        let run = try await StepRun.of(
            GET.self, "{url: SERVER/, extract: {x: {status: true}, y: {json: /a}}}"
        ) { _ in .text("{}", status: 500) }

        #expect(run.results == .failure)
        #expect(run.harness.properties["x"] == nil)
        #expect(run.harness.summary == "Status code: 500")
    }

    @Test func `a streamed answer has headers and a status`() async throws {
        let run = try await StepRun.of(
            GET.self,
            "{url: SERVER/, stream: true, extract: {x: {status: true}, t: {header: ETag}}}"
        ) { _ in Self.answer }

        #expect(run.results == .success)
        #expect(run.harness.properties["x"] == 201)
        #expect(run.harness.properties["t"] == "\"v1\"")
    }

    @Test func `JSON out of an answer that turns out to be streamed is an error`() async throws {
        let error = await #expect(throws: (any Error).self) {
            try await StepRun.of(
                GET.self, "{url: SERVER/, stream: !Property s, extract: {x: {json: /a}}}",
                properties: ["s": true])
        }
        #expect("\(try #require(error))".contains("remove 'stream'"))
    }

    @Test func `a failing extraction can be tried again`() async throws {
        let run = try await StepRun.of(
            GET.self,
            "{url: SERVER/, extract: {x: {json: /x}}, retry: {attempts: 5, on: failure}}",
            clock: EagerClock(),
            answering: StepRun.series([.text("{}"), .text("[]"), .text(#"{"x": 3}"#)]))
        #expect(run.results == .success)
        #expect(run.requests.count == 3)
        #expect(run.harness.properties["x"] == 3)
    }
}
