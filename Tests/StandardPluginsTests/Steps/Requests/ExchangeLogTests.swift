import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct ExchangeLogTests {
    /// The layout of Buildbot's log; the headers are libcurl's.
    @Test func `a request and its answer are laid out as in Buildbot`() async throws {
        let run = try await StepRun.of(
            POST.self,
            """
            url: SERVER/a?z=0
            params: {b: 1, a: [x, null, y], p: null}
            data: {k: v, n: null}
            """)

        let lines = try #require(run.log("log")).split(separator: "\n")
        let headers = lines.filter { !$0.contains("Accept-Encoding") && !$0.contains("User-Agent") }
        #expect(
            headers.map { $0.replacing(run.server.dropFirst(7), with: "HOST") } == [
                "hPerforming POST request to SERVER/a?z=0",
                "hParameters:", "h\tb: 1", "h\ta: x", "h\ta: y",
                "h\ta: (null, not sent)", "h\tp: (null, not sent)",
                "hData:", "h\tk: v", "h\tn: (null, not sent)",
                "hRequest Headers:", "h\tHost: HOST", "h\tAccept: */*",
                "h\tContent-Type: application/x-www-form-urlencoded", "h\tContent-Length: 3",
                "oURL: SERVER/a?z=0&b=1&a=x&a=y",
                "oStatus: 200",
                "hResponse Headers:", "h\tContent-Length: 3",
                "o ------ Content ------",
                "ook",
            ])
        #expect(run.log("content") == "ook\n")
        #expect(run.harness.logs.map(\.name) == ["log", "content"])
    }

    @Test func `a JSON body, a text and files are told`() async throws {
        let json = try await StepRun.of(POST.self, "{url: SERVER/, json: {a: é}}")
        let text = try await StepRun.of(POST.self, #"{url: SERVER/, data: "two\nlines"}"#)
        let files = try await StepRun.of(
            POST.self, "{url: SERVER/, data: {k: v}, files: {f: {content: abc, filename: n.txt}}}")

        #expect(json.log("log")?.contains("hJSON:\nh\t{\"a\": \"\\u00e9\"}\n") == true)
        #expect(text.log("log")?.contains("hData:\nh\ttwo\nhlines\n") == true)
        #expect(
            files.log("log")?.contains("hData:\nh\tk: v\nhFiles:\nh\tf: n.txt (3 bytes)\n") == true)
    }

    @Test func `null fields are told of a body without any other, and beside files`() async throws {
        let form = try await StepRun.of(POST.self, "{url: SERVER/, data: {revision: null}}")
        let files = try await StepRun.of(
            POST.self, "{url: SERVER/, data: {revision: null}, files: {f: abc}}")

        for run in [form, files] {
            #expect(run.log("log")?.contains("hData:\nh\trevision: (null, not sent)\n") == true)
        }
    }

    @Test(arguments: [(200, "o"), (201, "o"), (204, "o"), (304, "e"), (404, "e"), (500, "e")])
    func `the status stands on stdout for every success`(
        _ status: Int, _ channel: String
    ) async throws {
        let run = try await StepRun.of(GET.self, "SERVER/") { _ in .respond(status: status) }
        #expect(run.log("log")?.contains("\n\(channel)Status: \(status)\n") == true)
    }

    @Test func `every hop of a redirect keeps its headers and body`() async throws {
        let run = try await StepRun.of(POST.self, "{url: SERVER/, data: {k: v}}") { request in
            request.path == "/"
                ? .text("moved\n", status: 302, headers: [("Location", "/landed")])
                : .text("landed\n")
        }

        let log = try #require(run.log("log"))
        let rule = "o" + String(repeating: "=", count: 60) + "\n"
        #expect(log.contains("h\tk: v\no\noRedirected 1 time:\no\nhRequest Headers:\n"))
        #expect(log.contains("oURL: SERVER/\neStatus: 302\nhResponse Headers:\n"))
        #expect(log.contains("h\tLocation: /landed\n"))
        #expect(log.contains("o ------ Content ------\nomoved\n\(rule)hRequest Headers:\n"))
        #expect(log.contains("oURL: SERVER/landed\noStatus: 200\n"))
        #expect(log.hasSuffix("o ------ Content ------\nolanded\n"))
        #expect(run.harness.logs.map(\.name) == ["log", "content", "content"])
        #expect(run.harness.logs.map(\.content).dropFirst() == ["omoved\n", "olanded\n"])
    }

    @Test func `credentials and the named headers are hidden`() async throws {
        let run = try await StepRun.of(
            GET.self,
            """
            url: SERVER/
            auth: [user, passw0rd]
            cookies: {sid: c00kie}
            headers: {X-Key: k3y, X-Open: seen}
            hide_request_headers: [x-key]
            hide_response_headers: [X-Answer]
            """
        ) { _ in .text("ok\n", headers: [("Set-Cookie", "a=jar"), ("X-Answer", "answer")]) }

        let log = try #require(run.log("log"))
        for line in [
            "Authorization: <HIDDEN>", "Cookie: <HIDDEN>", "X-Key: <HIDDEN>", "X-Open: seen",
            "Set-Cookie: <HIDDEN>", "X-Answer: <HIDDEN>",
        ] {
            #expect(log.contains("h\t\(line)\n"))
        }
        for value in ["passw0rd", "dXNlcj", "c00kie", "k3y", "a=jar", "answer\n"] {
            #expect(!log.contains(value))
        }
        #expect(try run.request.header("Authorization") == "Basic dXNlcjpwYXNzdzByZA==")
    }

    @Test func `a user and password in the address are not told`() async throws {
        let harness = try StepHarness()
        let step = try GET.configured(yaml: "{url: 'http://user:passw0rd@127.0.0.1:1/x'}")
        _ = try await harness.run(step)
        #expect(
            harness.log("log")?.lines.first == "hPerforming GET request to http://127.0.0.1:1/x")
        #expect(harness.log("log")?.content.contains("passw0rd") == false)
    }

    @Test func `a secret is masked wherever it goes`() async throws {
        let run = try await StepRun.of(
            POST.self,
            """
            url: !Interpolate "SERVER/%(secret:token)s"
            params: {t: !Secret token}
            data: {t: !Secret token}
            headers: {X-Token: !Secret token}
            """, secrets: ["token": "s3cr3t/val"]
        ) { request in .text("you sent \(request.text)\n") }

        #expect(try run.request.header("X-Token") == "s3cr3t/val")
        for log in run.harness.logs {
            #expect(!log.content.contains("s3cr3t"))
            #expect(log.content.contains("<token>"))
        }
    }

    @Test(arguments: [
        ([0x89, 0x50, 0x4E, 0x47, 0x00] as [UInt8], "image/png", "h5 bytes of image/png\n"),
        ([0xFF, 0xFE, 0xFD], nil, "h3 bytes of an unknown type\n"),
        ([0x67, 0x72, 0xFC, 0x6E], "text/plain; charset=iso-8859-1", "ogrün\n"),
        (Array("no line end".utf8), "text/plain", "ono line end\n"),
        ([], "text/plain", ""),
    ])
    func `a body is logged as text, or as size and type`(
        _ body: [UInt8], _ type: String?, _ logged: String
    ) async throws {
        let run = try await StepRun.of(GET.self, "SERVER/") { _ in
            .respond(headers: type.map { [("Content-Type", $0)] } ?? [], body: body)
        }

        #expect(run.log("content") == logged)
        #expect(run.log("log")?.hasSuffix("o ------ Content ------\n\(logged)") == true)
    }
}
