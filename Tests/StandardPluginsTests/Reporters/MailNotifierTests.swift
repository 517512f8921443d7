import Foundation
import MasterKit
import MasterTesting
import Testing

@testable import StandardPlugins

@Suite(.timeLimit(.minutes(1)))
struct MailNotifierTests {
    /// Sends the reports of a build to a mail server.
    private func send(
        _ settings: String, _ build: RecordedBuild = RecordedBuild(), _ events: [Event]? = nil,
        generators: String? = nil, id: String = "msg_store_mail_7_0", attempt: Int = 1,
        extensions: [String] = ["SIZE 10000000"],
        script: @escaping LoopbackMailServer.Script = { _ in nil }
    ) async throws -> [LoopbackMailServer.Mail] {
        try await withLoopbackMailServer(extensions: extensions, script: script) { server in
            let reporter = try MailNotifier.configured(
                yaml: "{fromaddr: CI <ci@example.org>, relayhost: 127.0.0.1, "
                    + "smtpPort: \(server.port), \(settings)}", registry: .standard,
                scope: .service)
            let generator = try generators.map {
                try BuildStatusGenerator.configured(yaml: $0, registry: .standard)
            }
            let harness = try ReporterHarness(
                secrets: ["mail": "s3cret-word"],
                identity: MasterIdentity(buildbotURL: "https://ci.example.org/"))
            try await reporter.start()
            for event in events ?? [build.finished] {
                let reports = try await harness.reports(
                    of: reporter, for: event, of: build, generators: generator.map { [$0] })
                for report in reports {
                    try await harness.send(report, through: reporter, id: id, attempt: attempt)
                }
            }
            #expect(!harness.log.texts.joined().contains("s3cret-word"))
            return server.mails
        }
    }

    /// A mail as Python's `email` package reads it, without tolerance.
    private func parsed(_ mail: LoopbackMailServer.Mail?) async throws -> JSONObject {
        let message = try #require(mail).message
        for line in String(decoding: message, as: UTF8.self).split(separator: "\r\n") {
            #expect(line.utf8.count <= 78)
            #expect(line.utf8.allSatisfy { $0 < 0x80 && $0 != 10 && $0 != 13 })
        }
        let path = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
        try Data(message).write(to: URL(filePath: path))
        let script = """
            import email, email.policy, json, sys
            policy = email.policy.default.clone(raise_on_defect=True)
            mail = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=policy)
            parts = [p for p in mail.walk() if not p.is_multipart()]
            mail["date"].datetime.isoformat()
            print(json.dumps({
                "headers": {name.lower(): str(value) for name, value in mail.items()},
                "to": [str(a) for a in mail["to"].addresses],
                "parts": [{"type": p.get_content_type(), "charset": p.get_content_charset(),
                           "file": p.get_filename(), "text": p.get_content()} for p in parts]}))
            """
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script, path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try FileManager.default.removeItem(atPath: path)
        return try #require(JSONParser().parse(Array(bytes)).objectValue)
    }

    private static let logs: [JSONValue] = [
        [
            "name": "compile",
            "logs": [
                [
                    "name": "stdio", "stepname": "compile", "type": "s",
                    "content": ["content": "hin /build\noMüll = 1\r\nhnote\nefatal: é\n"],
                ]
            ],
        ]
    ]

    @Test func `the responsible users and the others get a mail`() async throws {
        let build = RecordedBuild(
            builder: "linux", results: .failure, stateString: "failed 'make' (failure)",
            properties: ["owners": ["Ann <ann@example.org>", "bob", "nobody at all"]])
        let mails = try await send(
            "lookup: '@example.net', extraRecipients: [team@example.org, ANN@example.org]", build)
        let mail = try await parsed(mails.first)
        #expect(mails.first?.sender == "ci@example.org")
        #expect(
            mails.first?.recipients == ["ann@example.org", "bob@example.net", "team@example.org"])
        #expect(mail["to"] == ["Ann <ann@example.org>", "bob@example.net"])
        let headers = try #require(mail["headers"])
        #expect(headers["from"] == "CI <ci@example.org>")
        #expect(headers["cc"] == "team@example.org")
        #expect(headers["subject"]?.stringValue?.contains("linux") == true)
        #expect(headers["message-id"] == "<msg_store_mail_7_0@example.org>")
        #expect(headers["auto-submitted"] == "auto-generated")
        #expect(headers["mime-version"] == "1.0")
        let text = mail["parts"]?[0]?["text"]?.stringValue
        #expect(text?.contains("failed 'make' (failure)") == true)
        #expect(mail["parts"]?[0]?["type"] == "text/plain")
    }

    @Test func `the mails of one build belong together`() async throws {
        let build = RecordedBuild(builder: "linux")
        let mails = try await send(
            "extraRecipients: a@example.org, sendToInterestedUsers: false", build,
            [build.started, build.finished], generators: "{mode: all, report_new: true}")
        #expect(mails.count == 2)
        var threads: [JSONValue?] = []
        for mail in mails { threads.append(try await parsed(mail)["headers"]?["references"]) }
        #expect(threads[0] != nil)
        #expect(threads[0] == threads[1])
    }

    @Test func `texts of any kind arrive as they are`() async throws {
        let build = RecordedBuild(
            builder: "linux", properties: ["owner": "Jörg Ü <joerg@bücher.example>"],
            steps: Self.logs)
        let subject =
            "=?x?= Größe "
            + String(repeating: "строка ", count: 30) + "\u{1F600}"
        let template =
            "Zeile = 1  \n.\n" + String(repeating: "lang ", count: 300) + "\nÄ \t\nend"
        let formatter: JSONObject = [
            "formatters.MessageFormatter": [
                "template": .string(template), "subject": .string(subject),
                "want_logs_content": true,
            ]
        ]
        let yaml = JSONWriter.compact.string(.object(["message_formatter": .object(formatter)]))
        let mails = try await send("extraHeaders: {X-Team: Bücher}", build, generators: yaml)
        let mail = try await parsed(mails.first)
        #expect(mail["headers"]?["subject"]?.stringValue == subject)
        #expect(mail["headers"]?["x-team"] == "Bücher")
        #expect(mail["to"] == ["Jörg Ü <joerg@xn--bcher-kva.example>"])
        #expect(mail["parts"]?[0]?["text"]?.stringValue == template)
        #expect(mail["parts"]?[1]?["file"] == "compile.stdio.log")
        #expect(mail["parts"]?[1]?["text"] == "Müll = 1\nfatal: é\n")
    }

    @Test func `mostly foreign letters are sent as base64, and HTML as HTML`() async throws {
        let text = String(repeating: "сборка\n", count: 100)
        let formatter: JSONObject = [
            "formatters.MessageFormatter": [
                "template": .string("<b>\(text)</b>"), "template_type": "html",
            ]
        ]
        let yaml = JSONWriter.compact.string(.object(["message_formatter": .object(formatter)]))
        let mails = try await send("extraRecipients: a@example.org", generators: yaml)
        #expect(mails.first?.text.contains("Transfer-Encoding: base64") == true)
        let mail = try await parsed(mails.first)
        #expect(mail["parts"]?[0]?["type"] == "text/html")
        #expect(mail["parts"]?[0]?["text"]?.stringValue?.hasPrefix("<b>сборка\r\n") == true)
    }

    @Test func `a long log is attached from its end`() async throws {
        let content = (0..<200_000).map { "oline \($0)\n" }.joined()
        let steps: [JSONValue] = [
            [
                "name": "a/ü",
                "logs": [
                    [
                        "name": "\"x\"\n", "stepname": "a/ü", "type": "s",
                        "content": ["content": .string(content)],
                    ]
                ],
            ]
        ]
        let mails = try await send(
            "extraRecipients: a@example.org", RecordedBuild(steps: steps),
            generators: "{message_formatter: {formatters.MessageFormatter: "
                + "{template: x, want_logs_content: true}}}")
        let mail = try await parsed(mails.first)
        let text = try #require(mail["parts"]?[1]?["text"]?.stringValue)
        #expect(text.hasPrefix("(the first "))
        #expect(text.hasSuffix("line 199999\n"))
        #expect(text.utf8.count < 1_100_000)
        #expect(mail["parts"]?[1]?["file"] == "a-ü.\"x\"-.log")
    }

    @Test(arguments: [
        ("a b", "a b"), ("a ", "a=20"), ("a\t", "a=09"), ("=ü", "=3D=C3=BC"),
    ])
    func `white space at the end of a line survives`(_ line: String, _ encoded: String) {
        #expect(MailEncoding.quotedPrintable(line) == [encoded])
    }

    @Test func `no value begins another header`() async throws {
        let build = RecordedBuild(
            builder: "x\r\nBcc: evil@example.org", properties: ["v": "a\r\nX-Evil: 1"])
        let mails = try await send(
            "extraRecipients: a@example.org, subject: !Template \"{{ buildername }}\"", build)
        let mail = try await parsed(mails.first)
        #expect(mail["headers"]?["bcc"] == nil)
        #expect(mails.first?.recipients == ["a@example.org"])
        await #expect(throws: (any Error).self) {
            try await send(
                "extraRecipients: a@example.org, extraHeaders: {X-V: !Property v}", build)
        }
        await #expect(throws: (any Error).self) {
            try await send("extraRecipients: !Property v", build)
        }
    }

    @Test func `settings are computed for each report`() async throws {
        let build = RecordedBuild(builder: "linux", properties: ["mail": "x@example.org"])
        let mails = try await send(
            "extraRecipients: [!Property mail], subject: !Template '{{ buildername }} {{ result_name }}', "
                + "extraHeaders: {X-Builder: !Template '{{ buildername }}'}", build)
        let mail = try await parsed(mails.first)
        #expect(mails.first?.recipients == ["x@example.org"])
        #expect(mail["headers"]?["subject"] == "linux success")
        #expect(mail["headers"]?["x-builder"] == "linux")
    }

    @Test func `a build without users is not reported`() async throws {
        for owner in ["", "bob", "a..b@example.org"] {
            let build = RecordedBuild(properties: owner.isEmpty ? [:] : ["owner": .string(owner)])
            let error = await #expect(throws: DeliveryError.self) {
                try await send("debug: true", build)
            }
            #expect(error?.verdict == .nothingToSend)
        }
    }

    @Test func `a body of JSON is a failed delivery`() async throws {
        let error = await #expect(throws: DeliveryError.self) {
            try await send(
                "extraRecipients: a@example.org",
                generators: "{message_formatter: {formatters.MessageFormatter: "
                    + "{template: '{\"a\": 1}', template_type: json}}}")
        }
        #expect(error?.verdict == .reject)
    }

    @Test(arguments: [
        ("MAIL", "553 Bad sender", DeliveryError.Verdict.reject, "refused the sender ci@"),
        ("MAIL", "530 Log in", .retry(after: nil), "refused the sender"),
        ("MAIL", "451 Later", .retry(after: nil), "refused the sender"),
        ("RCPT", "550 No such user", .reject, "refused the recipient a@example.org: 550 No such"),
        ("RCPT", "450 Busy", .retry(after: nil), "refused the recipient"),
        (".", "552 Too large", .reject, "refused the mail: 552 Too large"),
        (".", "452 Disk full", .retry(after: nil), "refused the mail"),
        ("CONNECT", "554 Go away", .retry(after: nil), "refused the connection"),
        ("AUTH", "535 s3cret-word", .retry(after: nil), "check 'smtpUser' and"),
    ])
    func `a refusal is retried or final`(
        _ command: String, _ reply: String, _ verdict: DeliveryError.Verdict, _ reason: String
    ) async throws {
        let error = await #expect(throws: DeliveryError.self) {
            try await send(
                "extraRecipients: a@example.org, smtpUser: ci, smtpPassword: !Secret mail, "
                    + "debug: true", extensions: ["AUTH PLAIN"]
            ) { received in
                let isChallenge =
                    command == "AUTH" && !received.contains(" ") && received.count > 8
                return received.hasPrefix(command) || isChallenge ? .reply(reply) : nil
            }
        }
        #expect(error?.verdict == verdict)
        #expect(error?.reason.contains(reason) == true)
        #expect(error?.status == Int(reply.prefix(3)))
        #expect(error?.reason.contains("s3cret-word") == false)
    }

    @Test func `one refused recipient is a failure, though the others got the mail`() async throws {
        let error = await #expect(throws: DeliveryError.self) {
            try await send("extraRecipients: [a@example.org, b@example.org]") {
                $0.contains("b@") ? .reply("550 No such user") : nil
            }
        }
        #expect(error?.verdict == .reject)
        #expect(error?.reason.hasPrefix("sent to 1 of 2 recipients, but ") == true)
    }

    @Test(arguments: [(1, 0), (5, 1)])
    func `a recipient who is refused for now delays the others for a while`(
        _ attempt: Int, _ mails: Int
    ) async throws {
        try await withLoopbackMailServer {
            $0.contains("b@") ? .reply("450 Busy") : nil
        } _: {
            server in
            let reporter = try MailNotifier.configured(
                yaml: "{fromaddr: ci@example.org, smtpPort: \(server.port), "
                    + "relayhost: 127.0.0.1, extraRecipients: [a@example.org, b@example.org]}",
                registry: .standard, scope: .service)
            let harness = try ReporterHarness()
            let report = Report(body: .plain("x"), subject: "x", results: .success)
            let error = await #expect(throws: DeliveryError.self) {
                try await harness.send(report, through: reporter, attempt: attempt)
            }
            #expect(error?.verdict == (attempt == 1 ? .retry(after: nil) : .reject))
            #expect(server.mails.count == mails)
        }
    }

    @Test func `a repeated mail is the same`() async throws {
        var mails: [String] = []
        for attempt in 1...2 {
            let sent = try await send("extraRecipients: a@example.org", attempt: attempt)
            let text = try #require(sent.first).text
            mails.append(
                text.split(separator: "\r\n").filter { !$0.hasPrefix("Date:") }
                    .joined(separator: "\n"))
        }
        #expect(mails[0] == mails[1])
    }

    @Test func `with debug, the mail and the session are logged`() async throws {
        try await withLoopbackMailServer(extensions: ["AUTH PLAIN"]) { server in
            let reporter = try MailNotifier.configured(
                yaml: "{fromaddr: ci@example.org, smtpPort: \(server.port), debug: true, "
                    + "relayhost: 127.0.0.1, extraRecipients: a@example.org, smtpUser: ci, "
                    + "smtpPassword: !Secret mail}", registry: .standard, scope: .service)
            let harness = try ReporterHarness(secrets: ["mail": "s3cret-word"])
            let report = Report(body: .plain("word s3cret-word"), subject: "x", results: .success)
            let trace = try await harness.send(report, through: reporter)
            #expect(trace.receiver == "smtp://127.0.0.1:\(server.port)")
            #expect(trace.status == 250)
            let log = harness.log.texts.joined(separator: "\n")
            #expect(log.contains("Subject: x"))
            #expect(log.contains("> RCPT TO:<a@example.org>"))
            #expect(log.contains("> AUTH (hidden)"))
            #expect(!log.contains("s3cret-word"))
        }
    }

}
