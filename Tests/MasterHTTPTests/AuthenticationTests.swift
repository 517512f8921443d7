import MasterHTTP
import MasterTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct AuthenticationTests {
    @Test func `a digest answers the server's challenge`() async throws {
        let challenge = "Digest realm=\"builds\", nonce=\"abc123\", qop=\"auth\", algorithm=MD5"
        let handler: LoopbackServer.Handler = { request in
            request.header("Authorization") == nil
                ? .respond(
                    status: 401, headers: [("WWW-Authenticate", challenge)], body: Array("no".utf8))
                : .respond(body: request.body)
        }
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                for body in ["small", String(repeating: "large ", count: 50_000)] {
                    var request = HTTPRequest(.post, "\(server.url)/x", body: .text(body))
                    request.authentication = .digest(user: "us\"er", password: "pass:word")
                    request.headers["Authorization"] = "Basic ignored"
                    let response = try await client.send(request)
                    #expect(response.text == body)
                    #expect(response.exchanges.count == 1)
                    let sent = try #require(server.requests.last?.header("Authorization"))
                    #expect(response.final.requestHeaders["Authorization"] == sent)
                    let fields = Self.fields(of: sent)
                    let expected = try await Python.text(
                        Self.digest,
                        ["us\"er", "pass:word", fields["nc"] ?? "", fields["cnonce"] ?? ""])
                    #expect(fields["response"] == expected)
                }
                let plain = try await client.send(HTTPRequest(.post, "\(server.url)/x"))
                #expect(plain.status == 401)
            }
        }
    }

    @Test func `who asks for no digest gets the request once and whole`() async throws {
        try await withLoopbackServer(handler: { _ in .text("ok") }) { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.post, server.url, body: .text("all of it"))
                request.authentication = .digest(user: "user", password: "password")
                let response = try await client.send(request)
                #expect(response.status == 200)
                #expect(
                    server.requests.map { String(decoding: $0.body, as: UTF8.self) } == [
                        "all of it"
                    ])
            }
        }
    }

    @Test func `a wrong password ends in the server's 401`() async throws {
        let challenge = "Digest realm=\"builds\", nonce=\"abc123\", qop=\"auth\""
        let answer = ServerAnswer.respond(
            status: 401, headers: [("WWW-Authenticate", challenge)], body: Array("no".utf8))
        try await withLoopbackServer(handler: { _ in answer }) { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.get, server.url)
                request.authentication = .digest(user: "user", password: "wrong")
                let response = try await client.send(request)
                #expect(response.status == 401)
                #expect(response.text == "no")
            }
        }
    }

    @Test(arguments: [(", stale=true", 3), ("", 2)])
    func `a challenge is answered once, and once more when it was stale`(
        stale: String, count: Int
    ) async throws {
        let handler: LoopbackServer.Handler = { _ in
            let nonce = UInt64.random(in: 0...UInt64.max)
            return .respond(
                status: 401,
                headers: [
                    (
                        "WWW-Authenticate",
                        "Digest realm=\"x\", nonce=\"\(nonce)\", qop=\"auth\"\(stale)"
                    )
                ])
        }
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.post, server.url, body: .text("body"))
                request.authentication = .digest(user: "user", password: "password")
                let response = try await client.send(request)
                #expect(response.status == 401)
                #expect(server.requests.count == count)
            }
        }
    }

    @Test func `basic and bearer are headers`() async throws {
        try await withLoopbackServer { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.get, server.url)
                request.authentication = .basic(user: "Aladdin", password: "open sesame")
                _ = try await client.send(request)
                request.authentication = .basic(user: "ü", password: "")
                _ = try await client.send(request)
                request.authentication = .bearer(token: "abc.def")
                _ = try await client.send(request)
                #expect(
                    server.requests.map { $0.header("Authorization") } == [
                        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic w7w6", "Bearer abc.def",
                    ])
                request.authentication = .basic(user: "a:b", password: "c")
                let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
                #expect(error?.code == .invalidHeader)
            }
        }
    }

    private static func fields(of header: String) -> [String: String] {
        var fields: [String: String] = [:]
        for match in header.matches(of: /(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))/) {
            fields[String(match.1)] = (match.2 ?? match.3).map(String.init)
        }
        return fields
    }

    private static let digest = """
        import hashlib, sys
        user, password, count, nonce = sys.argv[1:5]
        md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
        one, two = md5(f"{user}:builds:{password}"), md5("POST:/x")
        print(md5(f"{one}:abc123:{count}:{nonce}:auth:{two}"))
        """
}
