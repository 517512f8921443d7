import MasterHTTP
import MasterTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SessionTests {
    private let handler: LoopbackServer.Handler = { request in
        switch request.path {
        case "/set":
            .respond(headers: [
                ("Set-Cookie", "sid=s3cret; Path=/; HttpOnly"),
                ("Set-Cookie", "deep=1; Path=/deep"), ("Set-Cookie", "brief=1; Max-Age=0"),
                ("Set-Cookie", "other=1; Domain=example.com"),
            ])
        case "/login": .respond(status: 302, headers: [("Set-Cookie", "a=b"), ("Location", "/in")])
        case "/forget": .respond(headers: [("Set-Cookie", "sid=; Path=/; Max-Age=0")])
        default: .text("ok")
        }
    }

    @Test func `cookies are kept in a session and nowhere else`() async throws {
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                let session = client.makeSession()
                let other = client.makeSession()
                _ = try await client.send(HTTPRequest(.get, "\(server.url)/set"), in: session)
                let response = try await client.send(HTTPRequest(.get, server.url), in: session)
                #expect(response.final.requestHeaders["Cookie"] == "sid=s3cret")
                _ = try await client.send(HTTPRequest(.get, "\(server.url)/deep/x"), in: session)
                _ = try await client.send(HTTPRequest(.get, server.url), in: other)
                _ = try await client.send(HTTPRequest(.get, server.url))
                let sent = server.requests.map { $0.header("Cookie") }
                #expect(sent == [nil, "sid=s3cret", "deep=1; sid=s3cret", nil, nil])
                #expect(server.connectionCount == 1)

                let cookies = await session.cookies()
                #expect(cookies.map(\.name).sorted() == ["deep", "sid"])
                let sid = try #require(cookies.first { $0.name == "sid" })
                #expect(sid.domain == "127.0.0.1" && sid.path == "/" && sid.value == "s3cret")
                #expect(!sid.includesSubdomains && !sid.isSecure && sid.expires == nil)
                #expect(await other.cookies().isEmpty)

                _ = try await client.send(HTTPRequest(.get, "\(server.url)/forget"), in: session)
                #expect(!(await session.cookies().contains { $0.name == "sid" }))
            }
        }
    }

    @Test func `a cookie set by a redirect is sent to where it leads`() async throws {
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                let session = client.makeSession()
                var request = HTTPRequest(.post, "\(server.url)/login")
                request.cookies = [HTTPPair("own", "1")]
                _ = try await client.send(request, in: session)
                #expect(server.requests[1].header("Cookie") == "a=b; own=1")
                #expect(await session.cookies().map(\.name) == ["a"])
            }
        }
    }

    @Test func `a session's defaults give way to the request`() async throws {
        try await withLoopbackServer { server in
            try await withHTTPClient { client in
                let session = client.makeSession(
                    HTTPSessionConfiguration(
                        headers: ["X-A": "session", "X-B": "session", "User-Agent": "mine"],
                        authentication: .bearer(token: "t0k3n")))
                var request = HTTPRequest(.get, server.url, headers: ["x-a": "request"])
                _ = try await client.send(request, in: session)
                request.authentication = .basic(user: "u", password: "p")
                request.suppressedHeaders = ["X-B"]
                _ = try await client.send(request, in: session)
                request.authentication = nil
                request.headers["Authorization"] = "Own scheme"
                _ = try await client.send(request, in: session)
                let received = server.requests
                #expect(received[0].values(of: "X-A") == ["request"])
                #expect(received[0].header("X-B") == "session")
                #expect(received[0].values(of: "User-Agent") == ["mine"])
                #expect(
                    received.map { $0.values(of: "Authorization") } == [
                        ["Bearer t0k3n"], ["Basic dTpw"], ["Own scheme"],
                    ])
                #expect(received[1].header("X-B") == nil)
            }
        }
    }

    @Test func `a session lives on after its client was shut down`() async throws {
        let client = HTTPClient()
        let session = client.makeSession()
        await client.shutdown()
        #expect(await session.cookies().isEmpty)
        let error = try await #require(throws: HTTPError.self) {
            try await client.send(HTTPRequest(.get, "http://127.0.0.1:9/"), in: session)
        }
        #expect(error.code == .shutDown)
    }
}
