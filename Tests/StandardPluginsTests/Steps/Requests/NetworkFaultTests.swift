import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct NetworkFaultTests {
    @Test func `a refused connection is a failure with its reason`() async throws {
        let harness = try StepHarness()
        let results = try await harness.run(GET.configured(yaml: "'http://127.0.0.1:1/x'"))

        #expect(results == .failure)
        #expect(harness.summaries.isEmpty)
        #expect(harness.logs.map(\.name) == ["log"])
        let lines = try #require(harness.log("log")).lines
        #expect(lines.first == "hPerforming GET request to http://127.0.0.1:1/x")
        #expect(lines.count == 2)
        #expect(lines.last?.hasPrefix("eThe request failed: ") == true)
        #expect(lines.last?.contains("127.0.0.1") == true)
    }

    @Test(arguments: ["0.2", "[5, 0.2]", "200ms"])
    func `no byte in time is a failure like any other fault`(_ timeout: String) async throws {
        let run = try await StepRun.of(
            GET.self, "{url: SERVER/slow, timeout: \(timeout)}"
        ) { _ in .hang }

        #expect(run.results == .failure)
        #expect(run.harness.summaries.isEmpty)
        #expect(run.log("log")?.contains("\neThe request failed: ") == true)
    }

    static let faults: [(String, ServerAnswer)] = [
        ("closed at once", .closeBeforeAnswer),
        ("closed half-way", .closeHalfway(body: Array("half".utf8), after: 2)),
        ("reset", .reset),
        ("no HTTP", .raw(Array("SSH-2.0-OpenSSH\r\n\r\n".utf8))),
        ("redirect in a circle", .redirect(to: "/")),
    ]

    @Test(arguments: faults.indices)
    func `a bad answer is a failure with its reason`(_ index: Int) async throws {
        let (name, answer) = Self.faults[index]
        let run = try await StepRun.of(GET.self, "SERVER/") { _ in answer }

        #expect(run.results == .failure, "\(name)")
        #expect(run.harness.summaries.isEmpty)
        #expect(run.log("log")?.contains("\neThe request failed: ") == true)
    }

    @Test func `what was exchanged before a fault is in the log`() async throws {
        let run = try await StepRun.of(GET.self, "SERVER/") { request in
            request.path == "/"
                ? .text("moved\n", status: 307, headers: [("Location", "/gone")])
                : .closeBeforeAnswer
        }

        let log = try #require(run.log("log"))
        #expect(log.contains("eStatus: 307\n"))
        #expect(log.contains("omoved\n"))
        #expect(log.contains("\neThe request failed: "))
    }

    @Test func `what came of the last answer is in the log`() async throws {
        let half = try await StepRun.of(POST.self, "{url: SERVER/half, data: {k: v}}") { _ in
            .closeHalfway(body: Array("half of it".utf8), after: 4)
        }
        let large = try await StepRun.of(GET.self, "{url: SERVER/, max_size: 3}") { _ in
            .text("large", headers: [("X-Kept", "yes")])
        }

        let log = try #require(half.log("log"))
        #expect(log.contains("hRequest Headers:\nh\tHost: "))
        #expect(log.contains("oURL: SERVER/half\noStatus: 200\nhResponse Headers:\n"))
        #expect(log.contains("o ------ Content ------\nohalf\neThe request failed: "))
        #expect(large.log("log")?.contains("h\tX-Kept: yes\n") == true)
    }

    @Test func `what was sent is in the log, also when nothing came back`() async throws {
        let run = try await StepRun.of(
            GET.self, "{url: SERVER/, auth: {digest: [user, passw0rd]}, headers: {X-Sent: yes}}"
        ) { request in
            guard request.header("Authorization") != nil else {
                let challenge = #"Digest realm="r", nonce="n", qop="auth""#
                return .text("who?\n", status: 401, headers: [("WWW-Authenticate", challenge)])
            }
            return .closeBeforeAnswer
        }

        let log = try #require(run.log("log"))
        #expect(log.contains("h\tAuthorization: <HIDDEN>\n"))
        #expect(log.contains("h\tX-Sent: yes\n"))
        #expect(log.contains("oURL: SERVER/\neThe request failed: "))
        #expect(!log.contains("Status: "))
    }

    @Test(arguments: [
        ("null", "needs this property: set it with -p to=VALUE"),
        ("/relative", "must begin with http:// or https://"),
        ("http://127.0.0.1:port/", "has an invalid port"),
    ])
    func `an address that comes out as none is a failure with its reason`(
        _ value: String, _ reason: String
    ) async throws {
        let harness = try StepHarness(properties: value == "null" ? [:] : ["to": .string(value)])
        let results = try await harness.run(GET.configured(yaml: "url: !Property to"))

        #expect(results == .failure)
        #expect(harness.logs.map(\.name) == ["log"])
        let line = try #require(harness.log("log")?.lines.first)
        #expect(line.hasPrefix("eThe request failed: "))
        #expect(line.contains("'url' of steps.GET \(reason)"))
    }

    @Test func `another setting that can't be rendered is no failure of the request`()
        async throws
    {
        let step = try GET.configured(yaml: "{url: 'http://127.0.0.1:1/', timeout: !Property t}")
        let harness = try StepHarness(properties: ["t": "soon"])
        await #expect(throws: RenderError.self) { try await harness.run(step) }
    }

    @Test func `stopping the build ends the request`() async throws {
        try await withLoopbackServer(handler: { _ in .hang }) { server in
            let harness = try StepHarness()
            let step = try GET.configured(["url": .string(server.url)])
            let run = Task { try await harness.run(step) }
            await server.waitForRequests(1)
            run.cancel()

            let outcome = await run.result
            #expect(throws: CancellationError.self) { try outcome.get() }
        }
    }

    @Test(arguments: [
        "json: {token: !Secret token}", "data: {token: !Secret token}", "data: !Secret token",
        "{files: {f: {content: !Secret token}}}", "{files: {f: x}, data: {a: !Secret token}}",
    ])
    func `a redirect takes no secret body to another place`(_ body: String) async throws {
        try await withLoopbackServer { other in
            let target = "\(other.url)/elsewhere"
            let setting = body.hasPrefix("{") ? String(body.dropFirst().dropLast()) : body
            let run = try await StepRun.of(
                POST.self, "{url: SERVER/, \(setting)}", secrets: ["token": "s3cr3t value"]
            ) { _ in .redirect(307, to: target) }
            #expect(run.results == .failure)
            #expect(other.requests.isEmpty)
            let log = run.log("log") ?? ""
            #expect(log.contains("the body, which holds a secret, is not sent to another host"))

            let open = try await StepRun.of(
                POST.self, "{url: SERVER/, data: {a: b}}", secrets: ["token": "s3cr3t value"]
            ) { _ in .redirect(307, to: target) }
            #expect(open.results == .success)
            #expect(other.requests.map(\.text) == ["a=b"])
        }
    }

    @Test func `no part of a secret address is in the log`() async throws {
        let harness = try StepHarness(secrets: ["hook": "SecRet.invalid"])
        let step = try GET.configured(
            yaml: "{url: !Interpolate 'http://%(secret:hook)s/x', timeout: 5}")
        #expect(try await harness.run(step) == .failure)
        let log = harness.log("log")?.content.lowercased() ?? ""
        #expect(log.contains("the name <hook> is not known"), "\(log)")
        #expect(!log.contains("secret.invalid"), "\(log)")
    }
}
