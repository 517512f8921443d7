import MasterTesting
import Testing

@testable import MasterHTTP

@Suite(.timeLimit(.minutes(1)))
struct RedirectTests {
    /// Redirects `/STATUS` to `/end` and responds to everything else.
    private let handler: LoopbackServer.Handler = { request in
        guard let status = Int(request.path.dropFirst()) else { return .text("end") }
        return .redirect(status, to: "/end?from=\(status)#part")
    }

    @Test(arguments: [
        (301, "POST", "GET", false), (301, "PUT", "PUT", true), (301, "HEAD", "HEAD", false),
        (302, "POST", "GET", false), (302, "DELETE", "GET", false), (302, "HEAD", "HEAD", false),
        (303, "PUT", "GET", false), (303, "HEAD", "HEAD", false),
        (307, "POST", "POST", true), (308, "PATCH", "PATCH", true),
    ])
    func `the method changes as browsers change it, and the body goes with it`(
        status: Int, method: String, then: String, keepsBody: Bool
    ) async throws {
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(
                    HTTPMethod(rawValue: method), "\(server.url)/\(status)",
                    headers: ["X-Kept": "1"])
                if method != "HEAD" {
                    request.body = .form([HTTPPair("k", "v")])
                    request.headers["Content-Language"] = "en"
                }
                let response = try await client.send(request)
                #expect(response.status == 200)
                #expect(response.exchanges.map(\.status) == [status, 200])
                #expect(response.history[0].url == "\(server.url)/\(status)")
                #expect(response.final.url == "\(server.url)/end?from=\(status)")
                #expect(response.final.method.rawValue == then)
                let second = server.requests[1]
                #expect(second.method == then)
                #expect(second.target == "/end?from=\(status)")
                #expect(second.text == (keepsBody ? "k=v" : ""))
                #expect((second.header("Content-Type") != nil) == keepsBody)
                #expect((second.header("Content-Language") != nil) == keepsBody)
                #expect(second.header("X-Kept") == "1")
            }
        }
    }

    @Test func `credentials do not follow to another port`() async throws {
        try await withLoopbackServer { other in
            let target = "\(other.url)/elsewhere"
            try await withLoopbackServer(handler: { _ in .redirect(307, to: target) }) { server in
                try await withHTTPClient { client in
                    var request = HTTPRequest(
                        .post, server.url,
                        headers: [
                            "X-Api-Key": "s3cret", "Cookie": "a=b", "X-Kept": "1", "Host": "h",
                        ],
                        body: .text("body"))
                    request.authentication = .basic(user: "user", password: "password")
                    request.sensitiveHeaders = ["x-api-key"]
                    request.cookies = [HTTPPair("c", "d")]
                    let response = try await client.send(request)
                    #expect(
                        server.requests[0].header("Authorization") == "Basic dXNlcjpwYXNzd29yZA==")
                    #expect(server.requests[0].header("X-Api-Key") == "s3cret")
                    let followed = other.requests[0]
                    #expect(followed.text == "body")
                    #expect(followed.header("X-Kept") == "1")
                    for name in ["Authorization", "Cookie", "X-Api-Key"] {
                        #expect(followed.header(name) == nil)
                        #expect(response.history[0].requestHeaders.contains(name))
                        #expect(!response.final.requestHeaders.contains(name))
                    }
                    #expect(followed.header("Host") == "127.0.0.1:\(other.port)")
                }
            }
        }
    }

    @Test func `a body with a secret does not follow to another port`() async throws {
        try await withLoopbackServer { other in
            let target = "\(other.url)/elsewhere"
            for status in [307, 308] {
                try await withLoopbackServer(handler: { request in
                    request.path == "/stay"
                        ? .text("ok")
                        : .redirect(status, to: request.path == "/same" ? "/stay" : target)
                }) { server in
                    try await withHTTPClient { client in
                        var request = HTTPRequest(.post, server.url, body: .text("s3cret"))
                        request.hasSensitiveBody = true
                        let error = try await #require(throws: HTTPError.self) {
                            try await client.send(request)
                        }
                        #expect(error.code == .badRedirect)
                        #expect(error.message.contains("holds a secret"), "\(error.message)")
                        #expect(error.exchanges.map(\.status) == [status])
                        request.url = "\(server.url)/same"
                        let text = try await client.send(request).text
                        #expect(text == "ok")
                        #expect(server.requests.last?.text == "s3cret")
                    }
                }
            }
            #expect(other.requests.isEmpty)
        }
    }

    @Test func `credentials stay on the same host`() async throws {
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                let url = server.url.replacing("http://", with: "http://us%40er:pa:ss@")
                _ = try await client.send(HTTPRequest(.get, "\(url)/302"))
                let sent = server.requests.map { $0.header("Authorization") }
                #expect(sent == ["Basic dXNAZXI6cGE6c3M=", "Basic dXNAZXI6cGE6c3M="])
            }
        }
    }

    @Test(arguments: [
        ("http://a.de/x", "http://a.de:80/y", true), ("http://a.de/", "https://a.de/", true),
        ("http://A.de/", "http://a.DE/", true), ("https://a.de/", "http://a.de/", false),
        ("http://a.de/", "http://b.de/", false), ("http://a.de:8080/", "https://a.de/", false),
        ("http://a.de/", "https://a.de:8443/", false),
    ])
    func `only the way up to TLS on the same host keeps credentials`(
        from: String, to: String, keeps: Bool
    ) throws {
        #expect(try HTTPAddress(to).mayKeepCredentials(of: HTTPAddress(from)) == keeps)
    }

    @Test(arguments: [
        ("b", "http://h/a/b"), ("../b", "http://h/b"), ("?q=1", "http://h/a/x?q=1"),
        ("//i/b", "http://i/b"), ("/b c", "http://h/b%20c"), ("/ü", "http://h/%c3%bc"),
        ("https://u:p@i:8443/", "https://i:8443/"), ("#f", "http://h/a/x"),
    ])
    func `a location is resolved against the address that sent it`(
        location: String, address: String
    ) throws {
        #expect(try HTTPAddress("http://h/a/x").resolving(location).encoded.lowercased() == address)
    }

    @Test(arguments: [
        "ftp://a/b", "file:///etc/passwd", "http://", "http://a:99999/", "javascript:x",
    ])
    func `a location that cannot be asked is an error with the exchange`(
        location: String
    ) async throws {
        try await withLoopbackServer(handler: { _ in .redirect(to: location) }) { server in
            try await withHTTPClient { client in
                let error = try await #require(throws: HTTPError.self) {
                    try await client.send(HTTPRequest(.get, server.url))
                }
                #expect(error.code == .badRedirect)
                #expect(error.exchanges.map(\.status) == [302])
                #expect(error.mayHaveArrived)
                let isForeign = error.message.contains("does not begin with http:// or https://")
                #expect(isForeign == (location == "javascript:x"))
            }
        }
    }

    @Test func `a circle ends at the limit, with all exchanges`() async throws {
        try await withLoopbackServer(handler: { _ in .redirect(to: "/again") }) { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.get, server.url)
                let error = try await #require(throws: HTTPError.self) {
                    try await client.send(request)
                }
                #expect(error.code == .tooManyRedirects)
                #expect(error.exchanges.count == 31)
                #expect(server.requests.count == 31)
                #expect(server.connectionCount == 1)
                request.redirects = .follow(limit: 0)
                await #expect(throws: HTTPError.self) { try await client.send(request) }
                #expect(server.requests.count == 32)
            }
        }
    }

    @Test func `a redirect that is not to be followed is the answer`() async throws {
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.get, "\(server.url)/302")
                request.redirects = .none
                let response = try await client.send(request)
                #expect(response.status == 302)
                #expect(response.reason == "Found")
                #expect(response.history.isEmpty)
                #expect(response.headers["location"] == "/end?from=302#part")
            }
        }
    }

    @Test func `a redirect without a location, and a 304, are answers`() async throws {
        try await withLoopbackServer(handler: { request in
            .respond(status: request.path == "/304" ? 304 : 301)
        }) { server in
            try await withHTTPClient { client in
                let redirect = try await client.send(HTTPRequest(.get, server.url))
                #expect(redirect.status == 301)
                let unchanged = try await client.send(HTTPRequest(.get, "\(server.url)/304"))
                #expect(unchanged.status == 304)
            }
        }
    }
}
