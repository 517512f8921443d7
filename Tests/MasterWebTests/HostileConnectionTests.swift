import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import MasterWebSocket
import NIOCore
import Testing

@testable import MasterWeb

/// Connections of somebody who wants to hold the server up, or to slip something past it.
struct HostileConnectionTests {
    private static let builders = """
        builders:
          - {name: one, steps: [steps.ShellCommand: {name: say, command: 'true'}]}
        """

    private static let open = "www: 0\n" + builders

    // MARK: Slow and many

    /// Sends pieces of a request, with pauses, until the server ends the connection.
    ///
    /// - Returns: What the server has sent.
    private func drip(
        _ beginning: String, _ piece: String, to web: Web
    ) async throws -> String {
        let received = Received()
        do {
            try await web.connect().executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: beginning))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for try await part in inbound { await received.add(String(buffer: part)) }
                    }
                    group.addTask {
                        while true {
                            try await Task.sleep(for: .milliseconds(20))
                            try await outbound.write(ByteBuffer(string: piece))
                        }
                    }
                    defer { group.cancelAll() }
                    try await group.next()
                }
            }
        } catch is IOError {
            // The server has cut the connection.
        } catch is ChannelError {
            // It was closed before a write.
        }
        return await received.text
    }

    private actor Received {
        private(set) var text = ""
        func add(_ part: String) { text += part }
    }

    @Test(.timeLimit(.minutes(1))) func `a request that only drips in is cut off`() async throws {
        var limits = WebSocketServerChannel.Limits()
        limits.idleTime = .seconds(1)
        try await withWeb(Self.open, limits: limits, bodyTime: .seconds(1)) { web in
            let host = "Host: localhost:\(web.port)\r\n"
            // Within the headers, and within those of a later request of the connection.
            #expect(try await drip("GET / HTTP/1.1\r\n\(host)X: ", "a", to: web) == "")
            let later = try await drip(
                "GET /healthz HTTP/1.1\r\n\(host)\r\nGET / HTTP/1.1\r\nX: ", "a", to: web)
            #expect(later.hasPrefix("HTTP/1.1 200"))
            #expect(later.components(separatedBy: "HTTP/1.1 ").count == 2)
            // Within the body.
            let body = try await drip(
                "POST /api/v2/builds/1 HTTP/1.1\r\n\(host)Content-Length: 100000\r\n\r\n", " ",
                to: web)
            #expect(body.hasPrefix("HTTP/1.1 408"), "\(body)")
            #expect(try await web.get("/healthz").status == 200)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `idle connections are cut, and others served meanwhile`()
        async throws
    {
        var limits = WebSocketServerChannel.Limits()
        limits.idleTime = .seconds(1)
        try await withWeb(Self.open, limits: limits) { web in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<300 {
                    group.addTask {
                        do {
                            try await web.connect().executeThenClose { inbound, _ in
                                for try await _ in inbound {}
                            }
                        } catch is IOError {
                            // The server has cut it.
                        }
                    }
                }
                #expect(try await web.get("/healthz").status == 200)
                try await group.waitForAll()
            }
        }
    }

    // MARK: Ambiguous

    @Test(arguments: [
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: +5\r\n\r\nhello", "Content-Length: 0x5\r\n\r\nhello",
        "Content-Length: -1\r\n\r\nhello", "Content-Length: 5, 5\r\n\r\nhello",
        "X: a\r\n Content-Length: 5\r\n\r\nhello",
        "X: a\r\n\tTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 99999999999999999999\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5;\u{0}\r\nhello\r\n0\r\n\r\n",
        "X\u{0}: a\r\n\r\n", "X: a\u{0}b\r\n\r\n", "X y: a\r\n\r\n", ": a\r\n\r\n",
    ])
    func `nothing that follows an ambiguous request is taken for a request`(
        rest: String
    ) async throws {
        try await withWeb(Self.open) { web in
            let host = "Host: localhost:\(web.port)\r\n"
            let smuggled = "GET /healthz HTTP/1.1\r\n\(host)Connection: close\r\n\r\n"
            let answer = try await web.send(
                "POST /api/v2/builds/1 HTTP/1.1\r\n\(host)\(rest)\(smuggled)")
            #expect(!(answer.head + answer.body).contains("ok\n"), "\(answer.head)\(answer.body)")
            #expect(answer.status >= 400, "\(answer.head)\(answer.body)")
        }
    }

    @Test func `requests of all sizes and methods are answered`() async throws {
        try await withWeb(Self.open) { web in
            let host = "Host: localhost:\(web.port)\r\n"
            let many = String(repeating: "X: a\r\n", count: 5000)
            #expect(try await web.send("GET / HTTP/1.1\r\n\(host)\(many)\r\n").status >= 400)
            let path = String(repeating: "/a", count: 20_000)
            #expect(try await web.send("GET \(path) HTTP/1.1\r\n\(host)\r\n").status >= 400)
            let chunk = "10000\r\n" + String(repeating: "a", count: 0x10000) + "\r\n"
            let chunked = try await web.send(
                "POST /api/v2/builds/1 HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n"
                    + String(repeating: chunk, count: 40))
            #expect(chunked.status == 413)
            for line in [
                "TRACE / HTTP/1.1", "CONNECT localhost:1 HTTP/1.1", "DELETE / HTTP/1.1",
                "GET * HTTP/1.1", "get / HTTP/1.1",
                "GET / HTTP/9.9", "GET /", "\u{16}\u{3}\u{1}",
            ] {
                let answer = try await web.send("\(line)\r\n\(host)Connection: close\r\n\r\n")
                #expect(answer.status == 0 || answer.status >= 400, "\(line): \(answer.head)")
            }
            #expect(try await web.get("/healthz").status == 200)
        }
    }

    @Test func `a client that waits until it may send a body is told to`() async throws {
        try await withWeb(Self.open) { web in
            try await web.connect().executeThenClose { inbound, outbound in
                let head = [
                    "POST /api/v2/builds/1 HTTP/1.1", "Host: localhost:\(web.port)",
                    "Content-Length: 2", "Expect: 100-continue", "Connection: close",
                ]
                try await outbound.write(
                    ByteBuffer(string: head.joined(separator: "\r\n") + "\r\n\r\n"))
                var answer = ""
                for try await part in inbound {
                    let isFirst = answer.isEmpty
                    answer += String(buffer: part)
                    if isFirst { try await outbound.write(ByteBuffer(string: "{}")) }
                }
                #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 "))
            }
        }
    }

    @Test func `no path leads out of the served files`() async throws {
        try await withTemporaryFolder { folder in
            try folder.write("secret", to: "secret.txt")
            try folder.write("<html>stock</html>", to: "ui/index.html")
            try await withWeb("www: {port: 0, ui: \(folder.path)/ui}\n" + Self.builders) { web in
                for path in [
                    "/%252e%252e/secret.txt", "/..%5csecret.txt", "/%2e%2e%2fsecret.txt",
                    "/.%2e/secret.txt", "/%c0%ae%c0%ae/secret.txt", "/..;/secret.txt",
                    "/index.html/../../secret.txt", "/%2Fetc%2Fpasswd", "//etc/passwd",
                    "/plugins/../../secret.txt", "/dashboard/../../secret.txt",
                    "/dashboard/%2e%2e/secret.txt", "/..", "/%2e%2e", "/secret.txt%00.html",
                ] {
                    let answer = try await web.get(path)
                    #expect([400, 404].contains(answer.status), "\(path): \(answer.head)")
                    #expect(!answer.body.contains("secret\n"), "\(path)")
                }
            }
        }
    }

    // MARK: TLS

    @Test func `TLS is spoken with the certificate of the file, and nothing else`() async throws {
        try await withTemporaryFolder { folder in
            try await runTool([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder.path + "/key.pem",
                "-out", folder.path + "/certificate.pem", "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost",
            ])
            let yaml = """
                www:
                  port: 0
                  tls: {certificate: \(folder.path)/certificate.pem, key: \(folder.path)/key.pem}
                  auth: {token: !Secret token}
                buildbotURL: https://localhost/
                secrets: [secrets.Environment]

                """ + Self.builders
            try await withWeb(yaml, secrets: ["token": "t0ken-value-1"]) { web in
                let text = try await runTool(
                    [
                        "python3", "-c", Self.client, "\(web.port)",
                        folder.path + "/certificate.pem",
                    ])
                #expect(text.contains("200 b'ok"), "\(text)")
                #expect(text.contains("Secure"), "\(text)")
                #expect(text.contains("TLSv1.1 refused"), "\(text)")
                let plain = try await web.get("/healthz")
                #expect(plain.status == 400)
                #expect(plain.body.contains("this port takes TLS only"))
                let otherKey = try await runTool([
                    "openssl", "genpkey", "-algorithm", "ed25519",
                ])
                let locked = try await runTool([
                    "openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:1234",
                ])
                for (file, content, words) in [
                    ("key.pem", nil, "the key \(folder.path)/key.pem of 'www' does not exist"),
                    ("key.pem", "k", "is not a key in PEM format"),
                    ("key.pem", locked, "needs a passphrase; name one without"),
                    ("key.pem", otherKey, "is not that of the certificate"),
                    ("certificate.pem", "c", "is not a certificate in PEM format"),
                ] as [(String, String?, String)] {
                    let path = folder.path + "/" + file
                    if let content {
                        try Data(content.utf8).write(to: URL(filePath: path))
                    } else {
                        try FileManager.default.removeItem(atPath: path)
                    }
                    let (same, secrets) = try web.configuration(yaml)
                    let error = await #expect(throws: (any Error).self) {
                        try await web.master.reconfigure(to: same, secrets)
                    }
                    #expect("\(error.map { "\($0)" } ?? "")".contains(words))
                }
            }
        }
    }

    /// Prints the answer to `/healthz`, the cookie of a login, and whether an old version is taken.
    private static let client = """
        import http.client, ssl, sys, urllib.parse
        port, file = int(sys.argv[1]), sys.argv[2]
        context = ssl.create_default_context(cafile=file)
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=20)
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        print(answer.status, answer.read())
        form = urllib.parse.urlencode({"password": "t0ken-value-1"})
        connection.request("POST", "/auth/login", form,
            {"Content-Type": "application/x-www-form-urlencoded", "Host": "localhost"})
        answer = connection.getresponse()
        print(answer.status, answer.headers["Set-Cookie"])
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(file)
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            http.client.HTTPSConnection("localhost", port, context=old, timeout=20).connect()
            print("TLSv1.1 taken")
        except OSError:
            print("TLSv1.1 refused")
        """

    // MARK: Events as text

    @Test func `a stream of events says what a WebSocket does`() async throws {
        try await withWeb(Self.open) { web in
            try await web.connect().executeThenClose { inbound, outbound in
                try await outbound.write(
                    ByteBuffer(
                        string:
                            "GET /sse/builds/*/new HTTP/1.1\r\nHost: localhost:\(web.port)\r\n\r\n")
                )
                var reader = TextReader(inbound: inbound.makeAsyncIterator())
                try await reader.read(until: "\n\n")
                #expect(reader.text.contains("Content-Type: text/event-stream"))
                let id = try #require(
                    reader.text.firstMatch(of: /event: handshake\ndata: ([^\n]+)\n/)?.1)
                #expect(try await web.get("/sse/add/\(id)/builds/*/finished").body == "ok")
                #expect(try await web.get("/sse/add/none/builds/*/new").status == 400)
                #expect(try await web.get("/sse/add").status == 400)
                #expect(try await web.get("/sse/remove/\(id)/steps/*/*").status == 404)
                #expect(try await web.get("/sse/remove/\(id)/builds/*/new").body == "ok")
                try await web.build(reason: "live")
                try await reader.read(until: #""key":["builds","1","finished"]"#)
                #expect(reader.text.contains("event: event\ndata: {"), "\(reader.text)")
                #expect(!reader.text.contains(#""key":["builds","1","new"]"#))
            }
        }
    }

    /// Reads text up to a part.
    private struct TextReader {
        var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        private(set) var text = ""

        init(inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) {
            self.inbound = inbound
        }

        mutating func read(until end: String) async throws {
            while !text.contains(end) {
                guard let part = try await inbound.next(isolation: #isolation) else { return }
                text += String(buffer: part)
            }
        }
    }

    // MARK: Programs and proxies

    private static let stop = #"{"jsonrpc":"2.0","id":1,"method":"stop","params":{}}"#
    private static let json = "Content-Type: application/json"

    @Test func `a program controls the master with the token`() async throws {
        let yaml = """
            www: {port: 0, auth: {token: !Secret token}, authz: {read: users}}
            secrets: [secrets.Environment]

            """ + Self.builders
        try await withWeb(yaml, secrets: ["token": "t0ken-value-1"]) { web in
            for path in ["/api/v2/builders", "/metrics", "/sse/listen", "/ws", "/changes"] {
                #expect(try await web.get(path).status == 403, "\(path)")
            }
            #expect(try await web.get("/healthz").status == 200)
            let bearer = "Authorization: Bearer t0ken-value-1"
            #expect(try await web.get("/api/v2/builders", bearer).status == 200)
            #expect(
                try await web.post("/api/v2/builds/1", Self.stop, Self.json, bearer).status == 404)
            for wrong in [
                "Bearer t0ken-value-2", "Bearer", "Bearer ", "Basic !!!", "Basic", "Digest x", "",
            ] {
                let answer = try await web.get("/api/v2/builders", "Authorization: \(wrong)")
                #expect(answer.status == 401 || answer.status == 429, "\(wrong)")
                #expect(!answer.body.contains("t0ken"))
            }
        }
    }

    @Test(arguments: [("127.0.0.1", true), ("192.0.2.1", false)])
    func `a proxy's user is believed if the proxy is trusted`(
        trusted: String, isBelieved: Bool
    ) async throws {
        let yaml = """
            www:
              port: 0
              auth: {remoteUserHeader: X-Remote-User, trust: [\(trusted)]}
              authz: {control: [alice], read: users}

            """ + Self.builders
        try await withWeb(yaml) { web in
            let (alice, bob) = ("X-Remote-User: alice", "X-Remote-User: bob")
            func control(_ users: String...) async throws -> Int {
                let head = [
                    "POST /api/v2/builds/1 HTTP/1.1", "Host: localhost:\(web.port)", Self.json,
                    "Content-Length: \(Self.stop.utf8.count)", "Connection: close",
                ]
                let text = (head + users).joined(separator: "\r\n") + "\r\n\r\n" + Self.stop
                return try await web.send(text).status
            }
            let read = try await web.get("/api/v2/builders", bob).status
            #expect(read == (isBelieved ? 200 : 403))
            let controlled = try await control(alice)
            #expect(controlled == (isBelieved ? 404 : 403))
            #expect(try await control(bob) == 403)
            #expect(try await control() == 403)
            #expect(try await web.get("/api/v2/builders").status == 403)
            // Two names cannot both be right.
            #expect(try await control(bob, alice) == 403)
            #expect(try await control(alice, bob) == 403)
            #expect(try await web.get("/auth/login").status == 404)
        }
    }
}
