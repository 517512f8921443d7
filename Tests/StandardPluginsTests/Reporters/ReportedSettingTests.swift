import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// Settings of a reporter that are rendered for each report.
struct ReportedSettingTests {
    private static let build = RecordedBuild(
        number: 7, builder: "linux", results: .failure,
        properties: ["project": "acme/app", "revision": "4a5f#d0", "kind": "PATCH"],
        sourceStamps: [SourceStamp(branch: "main", revision: "abc", project: "p")])

    private func push(
        _ yaml: String, secrets: [String: String] = [:],
        answering handler: @escaping LoopbackServer.Handler = { _ in .text("ok\n") }
    ) async throws -> [ReceivedRequest] {
        try await withLoopbackServer(handler: handler) { server in
            let reporter = try HttpStatusPush.configured(
                yaml: yaml.replacing("SERVER", with: server.url), registry: .standard,
                scope: .service)
            let harness = try ReporterHarness(secrets: secrets)
            let build = Self.build
            for report in try await harness.reports(of: reporter, for: build.finished, of: build) {
                try await harness.send(report, through: reporter)
            }
            return server.requests
        }
    }

    @Test(arguments: [
        (
            "!Interpolate 'SERVER/repos/%(prop:project)s/statuses/%(prop:revision)s'",
            "/repos/acme/app/statuses/4a5f%23d0"
        ),
        ("!Interpolate 'SERVER/%(src::branch)s/%(src::revision)s'", "/main/abc"),
        ("!Interpolate 'SERVER/%(prop:gone:-none)s?k=%(secret:key)s'", "/none?k=s3cr3t%26x"),
        ("!Template 'SERVER/{{ buildername }}/{{ build.number }}'", "/linux/7"),
        ("!Template 'SERVER/{{ properties.project }}/{{ result_name }}'", "/acme/app/failure"),
        ("!Interpolate ['SERVER/%s', !Field build.number]", "/7"),
        ("!Interpolate ['SERVER/%s', !Results failure]", "/true"),
        ("!Interpolate ['SERVER/%s', !Equal [!Field buildername, linux]]", "/true"),
    ])
    func `the address is computed for the build`(url: String, target: String) async throws {
        let requests = try await push("serverUrl: \(url)", secrets: ["key": "s3cr3t&x"])
        #expect(requests.map(\.target) == [target])
    }

    @Test func `method and headers are, too`() async throws {
        let requests = try await push(
            """
            serverUrl: SERVER/x
            method: !Property kind
            headers:
              X-Build: !Interpolate "%(prop:project)s by %(secret:key)s"
              X-Number: !Field build.number
            """, secrets: ["key": "s3cr3t-value"])
        let request = try #require(requests.first)
        #expect(request.method == "PATCH")
        #expect(request.header("X-Build") == "acme/app by s3cr3t-value")
        #expect(request.header("X-Number") == "7")
    }

    @Test func `a report that was made for other settings is not sent to a wrong address`()
        async throws
    {
        let harness = try ReporterHarness()
        let build = Self.build
        try await withLoopbackServer { server in
            func reporter(_ url: String) throws -> HttpStatusPush {
                try HttpStatusPush.configured(
                    yaml: "!Interpolate '\(server.url)/\(url)'", registry: .standard,
                    scope: .service)
            }
            let made = try reporter("%(prop:project)s")
            let reports = try await harness.reports(of: made, for: build.finished, of: build)
            let report = try #require(reports.first)
            for url in ["%(prop:project)s", "x"] {
                try await harness.send(report, through: reporter(url))
            }
            for url in ["%(prop:project)s/%(prop:revision)s", "%(src::branch)s"] {
                let error = await #expect(throws: DeliveryError.self) {
                    try await harness.send(report, through: reporter(url))
                }
                #expect(error?.verdict == .reject)
                #expect(error?.reason.contains("was not kept with this report") == true)
            }
            #expect(server.requests.map(\.target) == ["/acme/app", "/x"])
        }
    }

    @Test func `PUT is sent, and other methods are mistakes`() async throws {
        #expect(try await push("{serverUrl: SERVER/, method: PUT}").map(\.method) == ["PUT"])
        #expect(throws: ConfigurationError.self) {
            try HttpStatusPush.configured(["serverUrl": "http://h/", "method": "GET"])
        }
    }

    @Test func `a body is sent as a form`() async throws {
        let requests = try await push(
            """
            serverUrl: SERVER/
            encoding: form
            format:
              state: "{{ result_name }} & more"
              number: !Field build.number
              token: !Secret key
              list: [a, null, "é"]
              none: null
              payload: {text: "{{ buildername }}"}
            """, secrets: ["key": "s3cr3t/value"])
        let request = try #require(requests.first)
        #expect(request.header("Content-Type") == "application/x-www-form-urlencoded")
        #expect(
            request.text == "state=failure+%26+more&number=7&token=s3cr3t%2Fvalue&list=a"
                + "&list=%C3%A9&payload=%7B%22text%22%3A%22linux%22%7D")
    }

    @Test func `a form needs a mapping`() async throws {
        for settings in ["", "format: text, ", "format: [a], "] {
            let error = #expect(throws: ConfigurationError.self) {
                try HttpStatusPush.configured(
                    yaml: "{serverUrl: 'http://h/', \(settings)encoding: form}",
                    registry: .standard, scope: .service)
            }
            #expect(
                error?.description
                    == "'encoding: form' needs 'format', a mapping of the fields to their values")
        }
    }

    @Test func `a secret stands in the body in plain, and is marked until then`() async throws {
        let yaml = """
            serverUrl: http://127.0.0.1:1/
            format: {key: !Secret key, text: !Interpolate "<%(secret:key)s>", by: "{{ buildername }}"}
            """
        let reporter = try HttpStatusPush.configured(
            yaml: yaml, registry: .standard, scope: .service)
        let harness = try ReporterHarness(secrets: ["key": "s3cr3t-value"])
        let build = Self.build
        let reports = try await harness.reports(of: reporter, for: build.finished, of: build)
        let report = try #require(reports.first)
        #expect(Array(report.secretMarks.values) == ["key"])
        guard case .json(let body) = report.body else {
            Issue.record("the body is not JSON")
            return
        }
        #expect(!JSONWriter.compact.string(body).contains("s3cr3t"))
        let sent = try await push(
            yaml.replacing("http://127.0.0.1:1/", with: "SERVER/"),
            secrets: ["key": "s3cr3t-value"])
        #expect(
            sent.map(\.text) == [#"{"key":"s3cr3t-value","text":"<s3cr3t-value>","by":"linux"}"#])
    }

    @Test func `a debug log hides a secret of the body`() async throws {
        try await withLoopbackServer { server in
            let reporter = try HttpStatusPush.configured(
                yaml: """
                    serverUrl: \(server.url)/
                    encoding: form
                    format: {key: !Secret key}
                    debug: true
                    """, registry: .standard, scope: .service)
            let harness = try ReporterHarness(secrets: ["key": "s3cr3t/value"])
            let build = Self.build
            for report in try await harness.reports(of: reporter, for: build.finished, of: build) {
                try await harness.send(report, through: reporter)
            }
            let text = try #require(harness.log.texts(at: .info).first)
            #expect(text.contains("> key=<key>"))
            #expect(!text.contains("s3cr3t"))
        }
    }

    @Test func `410 closes nothing when the address depends on the build`() async throws {
        for (url, verdict) in [
            ("!Interpolate 'SERVER/%(prop:revision)s'", DeliveryError.Verdict.reject),
            ("SERVER/", .endpointGone),
        ] {
            let error = await #expect(throws: DeliveryError.self) {
                try await push("serverUrl: \(url)") { _ in .respond(status: 410) }
            }
            #expect(error?.verdict == verdict)
        }
    }

    @Test(
        arguments: [
            ("{json: {/ok: true}}", #"{"ok": true}"#, nil),
            (
                "{json: {/ok: true}}", #"{"ok": false}"#,
                "the receiver answered 200, but /ok is false, not true; check 'success'"
            ),
            (
                "{json: {/ok: true}}", "ok",
                "the receiver answered 200, but the body is not valid JSON"
            ),
            (
                "{json: {/a/b: 1, /c: x}}", #"{"a": {"b": 1}, "c": "y"}"#,
                #"the receiver answered 200, but /c is the text 'y', not "x"; check 'success'"#
            ),
            ("201", "", "the receiver answered 200 OK"), ("{status: [200, 410]}", "", nil),
        ] as [(String, String, String?)])
    func `success may depend on the answer's status and body`(
        rule: String, body: String, reason: String?
    ) async throws {
        func send() async throws {
            _ = try await push("{serverUrl: SERVER/, success: \(rule)}") { _ in .text(body) }
        }
        guard let reason else { return try await send() }
        let error = await #expect(throws: DeliveryError.self) { try await send() }
        #expect(error?.reason.hasPrefix(reason) == true, "\(error?.reason ?? "")")
        #expect(error?.verdict == .retry(after: nil))
    }
}
