import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct POSTTests {
    @Test func `settings with expressions are given in code`() async throws {
        let server = try LoopbackServer { _ in .text("ok") }
        let step = try POST.configured([
            "url": "\(server.url)/builds",
            "params": ["branch": .property("branch", default: "main"), "tag": ["a", "b"]],
            "headers": ["X-Token": .secret("token")],
            "data": .interpolate("%(prop:gone:-none)s %(kw:n)s", ["n": .property("number")]),
        ])
        let harness = try StepHarness(
            properties: ["branch": "next", "number": 7], secrets: ["token": "hunter2!"])
        #expect(try await harness.run(step) == .success)
        let request = try #require(server.requests.first)
        #expect(request.target == "/builds?branch=next&tag=a&tag=b")
        #expect(request.header("X-Token") == "hunter2!")
        #expect(request.text == "none 7")
        #expect(harness.log("log")?.content.contains("X-Token: <token>") == true)
    }

    /// The settings are those of the POST example in Buildbot's documentation of HTTP steps.
    @Test func `properties are sent form-encoded, and a missing one is left out`() async throws {
        let run = try await StepRun.of(
            POST.self,
            """
            url: SERVER/a/post-form
            data:
              builder: !Property buildername
              buildnumber: !Property buildnumber
              workername: !Property workername
              revision: !Property got_revision
            """,
            properties: ["buildername": "http", "buildnumber": 1, "workername": "w0"])

        let request = try run.request
        #expect(run.results == .success)
        #expect(request.method == "POST")
        #expect(request.target == "/a/post-form")
        #expect(request.text == "builder=http&buildnumber=1&workername=w0")
        #expect(request.header("Content-Type") == "application/x-www-form-urlencoded")
        #expect(request.header("Content-Length") == "40")
    }

    /// `requests` sends `Host`, `User-Agent`, `Accept-Encoding: gzip, deflate`, `Accept: */*`,
    /// `Connection: keep-alive`, then length and type of the body. The differences: the user agent
    /// is our own; libcurl offers the encodings it can decode; `Connection: keep-alive` is the
    /// default in HTTP/1.1 and is omitted; the order of headers does not matter.
    @Test func `the headers are those of requests but for explained differences`() async throws {
        let run = try await StepRun.of(POST.self, "{url: SERVER/, data: {k: v}}")

        let request = try run.request
        let names = Set(request.headers.map { $0.name })
        #expect(
            names == [
                "Host", "User-Agent", "Accept", "Accept-Encoding", "Content-Length",
                "Content-Type",
            ])
        #expect(request.header("Accept") == "*/*")
        #expect(request.header("User-Agent")?.hasPrefix("Buildmaster/") == true)
        #expect(request.header("Accept-Encoding")?.hasPrefix("deflate, gzip") == true)
    }

    struct Body: Sendable, CustomTestStringConvertible {
        let settings: String
        let type: String?
        let bytes: String
        var testDescription: String { settings }

        init(_ settings: String, _ type: String?, _ bytes: String) {
            self.settings = settings
            self.type = type
            self.bytes = bytes
        }
    }

    private static let form = "application/x-www-form-urlencoded"

    /// The bytes are those sent by `requests` 2.34, except that booleans are `true` instead of
    /// `True`.
    @Test(arguments: [
        Body("data: {sp: 'a b&c=d/é+'}", form, "sp=a+b%26c%3Dd%2F%C3%A9%2B"),
        Body(
            "data: {version: 1.10, hex: 0x1F, on: true, text: '5'}", form,
            "version=1.10&hex=0x1F&on=true&text=5"),
        Body("data: {a: [x, y, null], b: null, c: ''}", form, "a=x&a=y&c="),
        Body("data: [[b, 2], [a, 1], [b, 3]]", form, "b=2&a=1&b=3"),
        Body("data: {a: null}", form, ""),
        Body("data: {}", nil, ""),
        Body("data: raw text é", nil, "raw text é"),
        Body("data: ''", nil, ""),
        Body(
            "json: {builder: http, n: 1, none: null, uni: é, list: [1, 2.5, true]}",
            "application/json",
            #"{"builder": "http", "n": 1, "none": null, "uni": "\u00e9", "list": [1, 2.5, true]}"#),
        Body("json: {}", "application/json", "{}"),
        Body("json: 1.10", "application/json", "1.10"),
        Body(
            "json: [1], headers: {Content-Type: application/vnd.x+json}",
            "application/vnd.x+json", "[1]"),
        Body("json: null", nil, ""),
    ])
    func `a body has the bytes and type that requests sends`(_ body: Body) async throws {
        let run = try await StepRun.of(POST.self, "{url: SERVER/, \(body.settings)}")

        let request = try run.request
        #expect(request.text == body.bytes)
        #expect(request.header("Content-Type") == body.type)
        #expect(request.header("Content-Length") == "\(body.bytes.utf8.count)")
    }

    @Test func `expressions are rendered at any depth, in keys as well`() async throws {
        let run = try await StepRun.of(
            POST.self,
            """
            url: !Interpolate "SERVER/%(prop:path)s"
            json:
              !Property key: [!Property list, {deep: !Interpolate "%(prop:key)s!"}]
            """,
            properties: ["path": "p", "key": "k", "list": [1, [2]]])

        #expect(try run.request.target == "/p")
        #expect(try run.request.text == #"{"k": [[1, [2]], {"deep": "k!"}]}"#)
    }

    @Test func `a body that is null at run time is not sent`() async throws {
        let run = try await StepRun.of(
            POST.self, "{url: SERVER/, data: !Property a, files: !Property b}",
            properties: ["a": ["x": 1]])

        #expect(try run.request.text == "x=1")
    }

    @Test func `a text beside files that appears at run time is an error`() async throws {
        let step = try POST.configured(
            yaml: "{url: 'http://127.0.0.1/', data: !Property d, files: {name: content}}")
        let harness = try StepHarness(properties: ["d": "text"])

        let error = await #expect(throws: (any Error).self) { try await harness.run(step) }
        #expect("\(try #require(error))".contains("must be a mapping or a list of pairs"))
    }
}
