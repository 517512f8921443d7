import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct GETTests {
    @Test func `parameters, headers and cookies are sent as requests sends them`() async throws {
        let run = try await StepRun.of(
            GET.self,
            """
            url: SERVER/a/get-params?z=0
            params: {a: 1, b: 2 3, l: [x, y], n: null}
            headers: {Accept: application/json, X-Token: t0k3n}
            cookies: {c1: v1, c2: v2, c3: null}
            """)

        let request = try run.request
        #expect(request.method == "GET")
        #expect(request.target == "/a/get-params?z=0&a=1&b=2+3&l=x&l=y")
        #expect(request.values(of: "Accept") == ["application/json"])
        #expect(request.header("X-Token") == "t0k3n")
        #expect(request.header("Cookie") == "c1=v1; c2=v2")
        #expect(request.header("Content-Length") == nil)
        #expect(request.body.isEmpty)
    }

    @Test(arguments: [
        ("{e: ''}", "/?e="),
        ("[[b, 2], [a, 1], [b, 3]]", "/?b=2&a=1&b=3"),
        ("{'é ': 'ü/'}", "/?%C3%A9+=%C3%BC%2F"),
        ("{a: null}", "/"),
        ("{}", "/"),
        ("null", "/"),
    ])
    func `parameters keep order, duplicates and empty texts`(
        _ params: String, _ target: String
    ) async throws {
        let run = try await StepRun.of(GET.self, "{url: SERVER/, params: \(params)}")
        #expect(try run.request.target == target)
    }

    @Test func `null takes away a header that is sent by default`() async throws {
        let run = try await StepRun.of(
            GET.self, "{url: SERVER/, headers: {User-Agent: null, Accept: null}}")

        #expect(try run.request.header("User-Agent") == nil)
        #expect(try run.request.header("Accept") == nil)
    }

    @Test(arguments: [
        (200, Results.success), (201, .success), (204, .success), (304, .success),
        (399, .success), (400, .failure), (404, .failure), (500, .failure), (599, .failure),
    ])
    func `a status below 400 is success`(_ status: Int, _ expected: Results) async throws {
        let run = try await StepRun.of(GET.self, "SERVER/") { _ in
            .respond(status: status)
        }

        #expect(run.results == expected)
        #expect(run.harness.summaries == ["Status code: \(status)"])
        #expect(!run.harness.hasTimedOut)
    }

    @Test func `a redirect is followed unless the step says no`() async throws {
        let handler: LoopbackServer.Handler = { request in
            request.path == "/" ? .redirect(302, to: "/landed") : .text("landed\n")
        }
        let followed = try await StepRun.of(GET.self, "SERVER/", answering: handler)
        let kept = try await StepRun.of(
            GET.self, "{url: SERVER/, allow_redirects: false}", answering: handler)

        #expect(followed.requests.map(\.target) == ["/", "/landed"])
        #expect(followed.harness.summary == "Status code: 200")
        #expect(kept.requests.map(\.target) == ["/"])
        #expect(kept.harness.summary == "Status code: 302")
        #expect(kept.results == .success)
    }

    @Test func `cookies that a server sets are sent by later steps of the build`() async throws {
        try await withLoopbackServer(handler: { _ in
            .text("ok\n", headers: [("Set-Cookie", "sid=s3cret")])
        }) { server in
            let harness = try StepHarness()
            let step = try GET.configured(["url": .string(server.url)])
            _ = try await harness.run(step)
            _ = try await harness.run(step)

            #expect(server.requests.map { $0.header("Cookie") } == [nil, "sid=s3cret"])
        }
    }

    @Test func `a proxy gets the whole address`() async throws {
        let run = try await StepRun.of(
            GET.self, "{url: 'http://build.invalid/x', proxies: {http: SERVER}}")

        #expect(run.results == .success)
        #expect(try run.request.target == "http://build.invalid/x")
    }

    @Test func `a host with null goes without the proxy of its scheme`() async throws {
        let run = try await StepRun.of(
            GET.self,
            "{url: SERVER/x, proxies: {http: 'http://127.0.0.1:1', 'http://127.0.0.1': null}}")

        #expect(run.results == .success)
        #expect(try run.request.target == "/x")
    }
}
