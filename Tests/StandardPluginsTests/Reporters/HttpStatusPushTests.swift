import FoundationEssentials
import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct HttpStatusPushTests {
    /// Sends the reports of an event and returns the received requests.
    private func push(
        _ yaml: String, _ event: Event? = nil, of build: RecordedBuild = RecordedBuild(),
        secrets: [String: String] = [:], harness: ReporterHarness? = nil,
        answering handler: @escaping LoopbackServer.Handler = { _ in .text("ok\n") }
    ) async throws -> [ReceivedRequest] {
        try await withLoopbackServer(handler: handler) { server in
            let reporter = try HttpStatusPush.configured(
                yaml: yaml.replacing("SERVER", with: server.url), registry: .standard,
                scope: .service)
            let harness = try harness ?? ReporterHarness(secrets: secrets)
            let reports = try await harness.reports(
                of: reporter, for: event ?? build.finished, of: build)
            for report in reports { try await harness.send(report, through: reporter) }
            return server.requests
        }
    }

    private func json(_ request: ReceivedRequest) throws -> JSONObject {
        try #require(JSONParser().parse(request.body).objectValue)
    }

    @Test func `a build is posted as JSON when it starts and when it ends`() async throws {
        let build = RecordedBuild(results: .failure)
        let start = try await push("SERVER/status", build.started, of: build)
        let end = try await push("SERVER/status", build.finished, of: build)

        for request in start + end {
            #expect(request.method == "POST")
            #expect(request.target == "/status")
            #expect(request.values(of: "Content-Type") == ["application/json"])
            #expect(request.header("Content-Length") == "\(request.body.count)")
            #expect(request.header("Authorization") == nil)
        }
        #expect(try start.map { try json($0)["complete"] } == [false])
        #expect(try end.map { try json($0)["complete"] } == [true])
        #expect(try end.map { try json($0)["results"] } == [2])
    }

    /// The keys are exactly those sent by Buildbot.
    @Test func `the record has nineteen keys`() async throws {
        let request = try #require(try await push("SERVER/").first)
        #expect(
            try Set(json(request).keys) == [
                "builder", "builderid", "buildid", "buildrequest", "buildrequestid", "buildset",
                "complete", "complete_at", "locks_duration_s", "masterid", "number",
                "parentbuild", "parentbuilder", "properties", "results", "started_at",
                "state_string", "url", "workerid",
            ])
    }

    @Test(arguments: Results.allCases)
    func `the end is posted whatever the result`(_ results: Results) async throws {
        let build = RecordedBuild(results: results)
        let requests = try await push("SERVER/", of: build)
        #expect(try requests.map { try json($0)["results"] } == [.int(results.rawValue)])
    }

    @Test(arguments: [
        ("", ["properties"]),
        (", want_properties: false", []),
        (", want_steps: true", ["properties", "steps"]),
        (", want_logs: true", ["properties", "steps", "logs"]),
        (", want_logs_content: true", ["properties", "steps", "logs"]),
        (", want_logs_content: [stdio]", ["properties", "steps", "logs"]),
    ])
    func `details are there when they are wanted`(
        _ settings: String, _ expected: [String]
    ) async throws {
        let build = RecordedBuild(
            properties: ["p": 1], steps: [["name": "compile", "logs": [["name": "stdio"]]]])
        let request = try #require(
            try await push("{serverUrl: SERVER/\(settings)}", of: build).first)
        let body = JSONValue.object(try json(request))

        var found: [String] = []
        if body["properties"]?["p"] == [1, "test"] { found.append("properties") }
        if body["steps"] != nil { found.append("steps") }
        if body["steps"]?[0]?["logs"] != nil { found.append("logs") }
        #expect(found == expected)
    }

    @Test func `headers and auth are sent, also when they hold secrets`() async throws {
        let requests = try await push(
            """
            serverUrl: !Interpolate "SERVER/%(secret:path)s"
            auth: [user, !Secret token]
            headers: {X-Key: !Secret token, User-Agent: null}
            """, secrets: ["token": "s3cr3t-value", "path": "hidden-path"])

        let request = try #require(requests.first)
        #expect(request.target == "/hidden-path")
        #expect(request.header("Authorization") == "Basic dXNlcjpzM2NyM3QtdmFsdWU=")
        #expect(request.header("X-Key") == "s3cr3t-value")
        #expect(request.header("User-Agent") == nil)
    }

    @Test(arguments: [
        ("[user, pass]", "Basic dXNlcjpwYXNz"), ("{basic: [user, pass]}", "Basic dXNlcjpwYXNz"),
        ("{bearer: t0k}", "Bearer t0k"),
    ])
    func `every form of auth works`(_ auth: String, _ header: String) async throws {
        let requests = try await push("{serverUrl: SERVER/, auth: \(auth)}")
        #expect(requests.map { $0.header("Authorization") } == [header])
    }

    /// A report whose receiver responded before the request would be silently lost.
    @Test(arguments: ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 408 Late\r\n\r\n", ""])
    func `a report is not delivered by an answer that nobody asked for`(
        _ unasked: String
    ) async throws {
        let gate = try ServerGate()
        try await withLoopbackServer(handler: { _ in
            .followed(.text("ok"), by: Array(unasked.utf8), gate)
        }) { server in
            let reporter = try HttpStatusPush.configured(["serverUrl": .string(server.url)])
            let harness = try ReporterHarness()
            for count in 1...4 {
                try await harness.send(Report(body: .json([.int(count)])), through: reporter)
                gate.pass()
                await gate.done()
                #expect(server.requests.map(\.text).last == "[\(count)]")
            }
            #expect(server.requests.count == 4)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\u{1F}",
    ])
    func `a hostile answer is a fault and no more`(_ answer: String) async throws {
        for _ in 0..<3 {
            let error = await #expect(throws: DeliveryError.self) {
                try await push("SERVER/") { _ in .raw(Array(answer.utf8)) }
            }
            #expect(error?.verdict == .retry(after: nil))
        }
    }

    @Test func `a redirect is not followed`() async throws {
        let error = await #expect(throws: DeliveryError.self) {
            try await push("SERVER/") { _ in .redirect(302, to: "/elsewhere") }
        }
        #expect(error?.verdict == .retry(after: nil))
        #expect(error?.status == 302)
        #expect(
            error?.reason == "the receiver answered 302 Found; a redirect to /elsewhere is not "
                + "a delivery, correct 'serverUrl'")
    }

    @Test func `a network fault is tried again, and its reason is said`() async throws {
        let reporter = try HttpStatusPush.configured(["serverUrl": "http://127.0.0.1:1/"])
        let harness = try ReporterHarness()
        let report = Report(body: .json([]))

        let error = await #expect(throws: DeliveryError.self) {
            try await harness.send(report, through: reporter)
        }
        #expect(error?.verdict == .retry(after: nil))
        #expect(error?.status == nil)
        #expect(error?.reason.contains("127.0.0.1") == true)
    }

    @Test func `a receiver that says nothing is given up after the limit`() async throws {
        let error = await #expect(throws: DeliveryError.self) {
            try await push("{serverUrl: SERVER/, timeout: 0.2}") { _ in .hang }
        }
        #expect(error?.verdict == .retry(after: nil))
    }

    @Test func `an answer without end is a delivery all the same`() async throws {
        let head = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
        let piece = [UInt8](repeating: 0x41, count: 65536)
        let requests = try await push("SERVER/") { _ in .endless(head: head, repeating: piece) }
        #expect(requests.count == 1)
    }

    @Test func `a text report is sent with its type`() async throws {
        try await withLoopbackServer { server in
            let reporter = try HttpStatusPush.configured(["serverUrl": .string(server.url)])
            let report = Report(body: .text("grün", contentType: "text/plain; charset=utf-8"))
            let trace = try await ReporterHarness().send(report, through: reporter)

            #expect(server.requests.map(\.text) == ["grün"])
            #expect(
                server.requests.map { $0.header("Content-Type") } == ["text/plain; charset=utf-8"])
            #expect(trace.status == 200)
            #expect(trace.responseText == "ok\n")
        }
    }

    @Test func `debug logs what was sent and answered, without credentials`() async throws {
        let harness = try ReporterHarness(secrets: ["token": "s3cr3t-value"])
        _ = try await push(
            """
            serverUrl: SERVER/status
            auth: [user, passw0rd]
            headers: {X-Key: !Secret token}
            debug: true
            """, harness: harness
        ) { _ in .text("got s3cr3t-value\n", status: 201) }

        let text = try #require(harness.log.texts(at: .info).first)
        #expect(harness.log.texts.count == 1)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first?.contains("/status answered 201 Created (") == true)
        #expect(lines.contains("> Authorization: <HIDDEN>"))
        #expect(lines.contains("> X-Key: <token>"))
        #expect(lines.contains { $0.hasPrefix(#"> {"buildid":1,"#) })
        #expect(lines.contains("< got <token>"))
        #expect(!text.contains("s3cr3t") && !text.contains("dXNlcj"))
    }

    @Test func `debug logs faults as well`() async throws {
        let harness = try ReporterHarness()
        let reporter = try HttpStatusPush.configured(
            ["serverUrl": "http://127.0.0.1:1/x", "debug": true])
        await #expect(throws: DeliveryError.self) {
            try await harness.send(Report(body: .json(["a": 1])), through: reporter)
        }
        let text = try #require(harness.log.texts(at: .info).first)
        #expect(text.hasPrefix("POST http://127.0.0.1:1/x failed: "))
        #expect(text.contains(#"> {"a":1}"#))
    }

    @Test func `without debug nothing is logged`() async throws {
        let harness = try ReporterHarness()
        _ = try await push("SERVER/", harness: harness)
        #expect(harness.log.texts.isEmpty)
    }

    @Test func `skipEncoding changes no byte`() async throws {
        let plain = try await push("SERVER/")
        let skipping = try await push("{serverUrl: SERVER/, skipEncoding: true}")
        #expect(plain.map(\.body) == skipping.map(\.body))
    }
}
