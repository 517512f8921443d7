import Foundation
import MasterHTTP
import MasterTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct MailTests {
    private static func mail(
        _ port: Int, recipients: [String] = ["ann@example.org"], message: String = "Subject: a\r\n"
    ) -> SMTPRequest {
        var mail = SMTPRequest(
            host: "127.0.0.1", port: port, sender: "ci@example.org", recipients: recipients,
            message: Array(message.utf8))
        mail.timeout = HTTPTimeout(connect: .seconds(10), silence: .seconds(20))
        return mail
    }

    @Test func `a mail arrives as it is`() async throws {
        let message = "Subject: a\r\n\r\n.\r\n..dots\r\nlast"
        try await withLoopbackMailServer { server in
            let response = try await Self.mail(
                server.port, recipients: ["ann@example.org", "bob@example.org"], message: message
            ).send()
            #expect(response.isAccepted)
            #expect(response.refusals.isEmpty)
            #expect(
                server.mails == [
                    .init(
                        sender: "ci@example.org",
                        recipients: ["ann@example.org", "bob@example.org"],
                        message: Array("\(message)\r\n".utf8))
                ])
            #expect(server.commands.last == "QUIT")
            #expect(response.transcript.contains("> RCPT TO:<bob@example.org>"))
        }
    }

    @Test func `a long message arrives`() async throws {
        let message = "Subject: a\r\n\r\n" + String(repeating: "0123456789\r\n", count: 50_000)
        try await withLoopbackMailServer { server in
            let response = try await Self.mail(server.port, message: message).send()
            #expect(response.isAccepted)
            #expect(server.mails.first?.message.count == message.utf8.count)
        }
    }

    @Test(arguments: [
        ("CONNECT", "554 No service", SMTPResponse.Step.greeting),
        ("MAIL", "553 Bad sender", .sender), ("RCPT", "550 No such user", .recipient),
        ("DATA", "451 Busy", .message), (".", "552 Too large", .message),
    ])
    func `a refusal is a response`(
        _ command: String, _ reply: String, _ step: SMTPResponse.Step
    ) async throws {
        try await withLoopbackMailServer {
            $0.hasPrefix(command) ? .reply(reply) : nil
        } _: {
            server in
            let response = try await Self.mail(server.port).send()
            #expect(!response.isAccepted)
            #expect(response.reply.step == step)
            #expect("\(response.reply.code) \(response.reply.text)" == reply)
            #expect(server.mails.isEmpty)
        }
    }

    @Test func `the others get a mail that the server refuses for one`() async throws {
        try await withLoopbackMailServer { command in
            command.contains("bob") ? .reply("550-No\r\n550 such user") : nil
        } _: { server in
            let response = try await Self.mail(
                server.port, recipients: ["bob@example.org", "ann@example.org"]
            ).send()
            #expect(response.isAccepted)
            #expect(response.refusals.map(\.recipient) == ["bob@example.org"])
            #expect(response.refusals.map(\.text) == ["No such user"])
            #expect(server.mails.map(\.recipients) == [["ann@example.org"]])
        }
    }

    @Test(arguments: [true, false])
    func `nobody gets a mail that is refused for now for one, if it waits for all`(
        _ waits: Bool
    ) async throws {
        try await withLoopbackMailServer { command in
            command.contains("bob") ? .reply("450 Greylisted") : nil
        } _: { server in
            var mail = Self.mail(server.port, recipients: ["ann@example.org", "bob@example.org"])
            mail.waitsForAll = waits
            let response = try await mail.send()
            #expect(response.isAccepted == !waits)
            #expect(response.refusals.map(\.code) == [450])
            #expect(server.mails.count == (waits ? 0 : 1))
        }
    }

    @Test func `credentials are sent and not shown`() async throws {
        try await withLoopbackMailServer(extensions: ["AUTH PLAIN"]) { server in
            var mail = Self.mail(server.port)
            mail.credentials = .init(user: "ci", password: "s3cret-word")
            let response = try await mail.send()
            #expect(response.isAccepted)
            let sent = Data("\0ci\0s3cret-word".utf8).base64EncodedString()
            #expect(server.commands.contains { $0.hasSuffix(sent) })
            #expect(!response.transcript.joined().contains(sent))
        }
    }

    @Test func `refused credentials are a response`() async throws {
        try await withLoopbackMailServer(extensions: ["AUTH PLAIN"]) { command in
            command.hasPrefix("AUTH")
                || !command.contains(" ") && command != "CONNECT"
                    && command != "QUIT"
                ? .reply("535 Bad credentials") : nil
        } _: { server in
            var mail = Self.mail(server.port)
            mail.credentials = .init(user: "ci", password: "wrong")
            let response = try await mail.send()
            #expect(response.reply.step == .authentication)
            #expect(response.reply.code == 535)
            #expect(!server.commands.contains { $0.hasPrefix("MAIL") && !$0.contains("ci@") })
        }
    }

    @Test func `nothing is sent without the authentication that is configured`() async throws {
        try await withLoopbackMailServer { server in
            var mail = Self.mail(server.port)
            mail.credentials = .init(user: "ci", password: "s3cret-word")
            let error = await #expect(throws: HTTPError.self) { try await mail.send() }
            #expect(error?.code == .noCredentials)
            #expect(error?.message.contains("offers no authentication") == true)
            #expect(server.mails.isEmpty)
        }
    }

    @Test func `a server without STARTTLS gets nothing if it is required`() async throws {
        try await withLoopbackMailServer { server in
            var mail = Self.mail(server.port)
            mail.security = .startTLS
            let error = await #expect(throws: HTTPError.self) { try await mail.send() }
            #expect(error?.code == .tls)
            #expect(error?.message.contains("does not offer STARTTLS") == true)
            #expect(!server.commands.contains { $0.hasPrefix("MAIL") })
        }
    }

    @Test func `TLS from the start with a server without TLS`() async throws {
        try await withLoopbackMailServer { server in
            var mail = Self.mail(server.port)
            mail.security = .tls
            let error = await #expect(throws: HTTPError.self) { try await mail.send() }
            #expect(error?.code == .tls)
            #expect(error?.message.contains("check whether it speaks TLS") == true)
        }
    }

    @Test(arguments: ["CONNECT", "EHLO", "MAIL", ".", "QUIT"])
    func `a server that falls silent`(_ command: String) async throws {
        try await withLoopbackMailServer {
            $0.hasPrefix(command) ? .hang : nil
        } _: { server in
            var mail = Self.mail(server.port)
            mail.timeout.silence = .milliseconds(300)
            guard command != "QUIT" else {
                let response = try await mail.send()
                #expect(response.isAccepted)
                return
            }
            let error = await #expect(throws: HTTPError.self) { try await mail.send() }
            #expect(error?.code == .silenceTimeout)
            #expect(error?.mayHaveArrived == (command == "."))
        }
    }

    @Test(arguments: ["CONNECT", "MAIL", "DATA", "."])
    func `a server that closes the connection`(_ command: String) async throws {
        try await withLoopbackMailServer {
            $0.hasPrefix(command) ? .close : nil
        } _: { server in
            let error = await #expect(throws: HTTPError.self) {
                try await Self.mail(server.port).send()
            }
            #expect(error?.code == .closedEarly)
            #expect(error?.mayHaveArrived == (command == "."))
            #expect(error?.message.contains("twice") == (command == "."))
        }
    }

    @Test func `a port where nothing listens`() async throws {
        let server = try LoopbackMailServer()
        await server.stop()
        let error = await #expect(throws: HTTPError.self) {
            try await Self.mail(server.port).send()
        }
        #expect(error?.code == .refused)
    }

    @Test func `an unknown name`() async throws {
        var mail = Self.mail(25)
        mail.host = "mail.invalid"
        let error = await #expect(throws: HTTPError.self) { try await mail.send() }
        #expect(error?.code == .nameNotFound)
    }

    @Test func `a server of another protocol`() async throws {
        try await withLoopbackServer(handler: { _ in .text("no") }) { server in
            var mail = Self.mail(server.port)
            mail.timeout.silence = .seconds(1)
            let error = await #expect(throws: HTTPError.self) { try await mail.send() }
            #expect(error?.code == .silenceTimeout || error?.code == .malformedResponse)
        }
        try await withLoopbackMailServer {
            $0 == "CONNECT" ? .reply("SSH-2.0-x") : .close
        } _: {
            server in
            var mail = Self.mail(server.port)
            mail.timeout.silence = .seconds(1)
            let error = await #expect(throws: HTTPError.self) { try await mail.send() }
            #expect(error?.code != .transferFailed)
        }
    }

    @Test func `half a mail is not delivered`() async throws {
        try await withLoopbackMailServer { server in
            var mail = Self.mail(server.port)
            let lines = String(repeating: "0123456789\r\n", count: 2_000_000)
            mail.message += Array(lines.utf8)
            mail.timeout.total = .milliseconds(300)
            let error = await #expect(throws: HTTPError.self) { try await mail.send() }
            #expect(error?.code == .totalTimeout)
            #expect(server.mails.isEmpty)
        }
    }

    @Test func `a cancelled mail ends at once`() async throws {
        try await withLoopbackMailServer {
            $0.hasPrefix("MAIL") ? .hang : nil
        } _: { server in
            let sending = Task { try await Self.mail(server.port).send() }
            await server.waitForCommands(2)
            sending.cancel()
            let error = await #expect(throws: HTTPError.self) { try await sending.value }
            #expect(error?.code == .cancelled)
        }
    }
}

@Suite
struct MailAddressTests {
    @Test(arguments: [
        ("ci@example.org", nil, "ci@example.org"),
        ("  CI Master <a.b+c@example.org> ", "CI Master", "a.b+c@example.org"),
        (#""Doe, \"J\"" <j@h>"#, #"Doe, "J""#, "j@h"),
        ("Jörg <j@bücher.example>", "Jörg", "j@xn--bcher-kva.example"),
        ("<a@[127.0.0.1]>", nil, "a@[127.0.0.1]"),
    ])
    func `an address is parsed`(_ text: String, _ name: String?, _ address: String) throws {
        let parsed = try MailAddress(text)
        #expect(parsed.name == name)
        #expect(parsed.address == address)
    }

    @Test(arguments: [
        ("ann", "has no '@'"), ("a@b, c@d", "more than one"), ("jörg@example.org", "not ASCII"),
        ("a..b@example.org", "invalid part before"), ("@example.org", "invalid part before"),
        ("a@", "invalid domain"), ("a@-x.org", "invalid domain"), ("a@x..org", "invalid domain"),
        ("a@x.org\r\nBcc: b@x.org", "line break"), ("A <a@x.org", "no '>'"),
        ("a b@x.org", "invalid part before"), ("a@x.org>", "invalid domain"),
    ])
    func `another text is refused`(_ text: String, _ reason: String) {
        let fault = #expect(throws: MailAddress.Fault.self) { try MailAddress(text) }
        #expect(fault?.reason.contains(reason) == true)
    }
}

@Suite(.timeLimit(.minutes(1)))
struct MailTLSTests {
    @Test func `mails are encrypted, to a trusted server`() async throws {
        try await withTemporaryFolder { folder in
            let certificates = try await TestCertificates.make(in: folder)
            for security in [SMTPRequest.Security.startTLS, .tls] {
                try await withServer(certificates, security) { port in
                    func send(_ verification: HTTPTLS.Verification) async throws -> SMTPResponse {
                        var mail = SMTPRequest(
                            host: "127.0.0.1", port: port, sender: "ci@example.org",
                            recipients: ["ann@example.org"], message: Array("Subject: a\r\n".utf8))
                        mail.security = security
                        mail.tls = HTTPTLS(verification: verification)
                        mail.credentials = .init(user: "ci", password: "word")
                        return try await mail.send()
                    }
                    let response = try await send(.authorities(path: certificates.authority))
                    #expect(response.isAccepted)
                    #expect(response.reply.text == "took 1 lines with TLS as ci")
                    #expect(try await send(.off).isAccepted)
                    let error = await #expect(throws: HTTPError.self) { try await send(.on) }
                    #expect(error?.code == .tls)
                    #expect(error?.message.contains("is not trusted") == true)
                }
            }
        }
    }

    /// Runs a closure with the port of a mail server with TLS, which offers `AUTH` only with it.
    private func withServer(
        _ certificates: TestCertificates, _ security: SMTPRequest.Security,
        _ body: (Int) async throws -> Void
    ) async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c", Self.script, certificates.certificate("server"),
            certificates.key("server"), security == .tls ? "tls" : "",
        ]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
            input.fileHandleForWriting.closeFile()
            process.waitUntilExit()
        }
        let line = await firstLine(of: output.fileHandleForReading.fileDescriptor)
        try await body(try #require(Int(line)))
    }

    private static let script = """
        import base64, os, socketserver, ssl, sys, threading
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        class Handler(socketserver.BaseRequestHandler):
            def encrypt(self):
                self.request = context.wrap_socket(self.request, server_side=True)
                self.isEncrypted = True
                self.file = self.request.makefile("rb")
            def say(self, text):
                self.request.sendall(text.encode() + b"\\r\\n")
            def handle(self):
                self.isEncrypted, user = False, None
                self.file = self.request.makefile("rb")
                if sys.argv[3]: self.encrypt()
                self.say("220 hello")
                while line := self.file.readline().decode().strip():
                    verb = line[:4].upper()
                    if verb == "EHLO":
                        self.say("250-hello\\r\\n250 " + ("AUTH PLAIN" if self.isEncrypted else "STARTTLS"))
                    elif verb == "STAR":
                        self.say("220 go")
                        self.encrypt()
                    elif verb == "AUTH":
                        words = line.split()
                        if len(words) < 3:
                            self.say("334 ")
                            words.append(self.file.readline().decode().strip())
                        user = base64.b64decode(words[2]).split(b"\\0")[1].decode()
                        self.say("235 ok")
                    elif verb == "DATA":
                        self.say("354 go")
                        count = 0
                        while self.file.readline() != b".\\r\\n": count += 1
                        self.say(f"250 took {count} lines with {'TLS' if self.isEncrypted else 'nothing'} as {user}")
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    else: self.say("250 ok")
        class Server(socketserver.ThreadingTCPServer):
            def handle_error(self, request, address): pass
        server = Server(("127.0.0.1", 0), Handler)
        print(server.server_address[1], flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
        os._exit(0)
        """
}
