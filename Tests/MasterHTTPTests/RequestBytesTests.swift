import MasterTesting
import Testing

@testable import MasterHTTP

/// The bytes sent by the client, compared with those sent by Python's `requests` for the same step.
@Suite(.timeLimit(.minutes(1)))
struct RequestBytesTests {
    private func received(_ request: HTTPRequest) async throws -> ReceivedRequest {
        try await withLoopbackServer { server in
            try await withHTTPClient { client in
                var request = request
                request.url = server.url + request.url
                _ = try await client.send(request)
                return try #require(server.requests.last)
            }
        }
    }

    @Test func `a form is encoded to the byte`() async throws {
        let received = try await received(
            HTTPRequest(
                .post, "/a/post-form-rev",
                body: .form([
                    HTTPPair("builder", "http"), HTTPPair("buildnumber", "1"),
                    HTTPPair("workername", "w0"), HTTPPair("revision", "abc123"),
                    HTTPPair("sp", "a b&c=d/é+"),
                ])))
        #expect(received.method == "POST")
        #expect(
            received.text == "builder=http&buildnumber=1&workername=w0&revision=abc123"
                + "&sp=a+b%26c%3Dd%2F%C3%A9%2B")
        #expect(received.header("Content-Length") == "83")
        #expect(received.values(of: "Content-Type") == ["application/x-www-form-urlencoded"])
    }

    @Test func `text is sent as UTF-8 without a content type`() async throws {
        let received = try await received(
            HTTPRequest(.post, "/a/post-str", body: .text("raw text é")))
        #expect(received.text == "raw text é")
        #expect(received.header("Content-Length") == "11")
        #expect(received.header("Content-Type") == nil)
        #expect(received.header("Expect") == nil)
    }

    @Test func `parameters follow the query the address has`() async throws {
        var request = HTTPRequest(
            .get, "/a/get-params?z=0",
            query: [
                HTTPPair("a", "1"), HTTPPair("b", "2 3"), HTTPPair("l", "x"), HTTPPair("l", "y"),
            ],
            headers: ["Accept": "application/json", "X-Token": "t0k3n"])
        request.cookies = [HTTPPair("c1", "v1"), HTTPPair("c2", "v2")]
        let received = try await received(request)
        #expect(received.target == "/a/get-params?z=0&a=1&b=2+3&l=x&l=y")
        #expect(received.values(of: "Accept") == ["application/json"])
        #expect(received.header("X-Token") == "t0k3n")
        #expect(received.header("Cookie") == "c1=v1; c2=v2")
    }

    @Test(arguments: [
        ("http://h", [HTTPPair("a", "b c")], "http://h?a=b+c"),
        ("http://h/?", [HTTPPair("a", "1")], "http://h/?a=1"),
        ("http://h/x#f", [HTTPPair("a", "1")], "http://h/x?a=1#f"),
        ("http://h/x?q#f?", [HTTPPair("e", "")], "http://h/x?q&e=#f?"),
        ("http://h/", [HTTPPair("t", "~-_.*'()")], "http://h/?t=~-_.%2A%27%28%29"),
        ("http://h/", [], "http://h/"),
    ])
    func `parameters come before the fragment`(url: String, query: [HTTPPair], whole: String) {
        #expect(FormEncoding.append(query, to: url) == whole)
    }

    @Test func `by default only these headers are sent`() async throws {
        let received = try await received(HTTPRequest(.get, "/"))
        #expect(
            received.headers.map(\.name) == ["Host", "Accept", "Accept-Encoding", "User-Agent"])
        #expect(received.header("Accept") == "*/*")
        #expect(received.header("Accept-Encoding")?.hasPrefix("deflate, gzip") == true)
        #expect(received.header("User-Agent")?.hasPrefix("Buildmaster/") == true)
    }

    @Test func `headers that are not wanted are not sent`() async throws {
        var request = HTTPRequest(.post, "/", body: .form([HTTPPair("a", "b")]))
        request.suppressedHeaders = ["user-agent", "accept", "Accept-Encoding", "Content-Type"]
        let received = try await received(request)
        #expect(received.headers.map(\.name) == ["Host", "Content-Length"])
    }

    @Test(arguments: [HTTPMethod.post, .put, .patch])
    func `a request that could have a body says that it has none`(method: HTTPMethod) async throws {
        let received = try await received(HTTPRequest(method, "/"))
        #expect(received.method == method.rawValue)
        #expect(received.header("Content-Length") == "0")
        #expect(received.header("Content-Type") == nil)
    }

    @Test(arguments: [HTTPMethod.get, .delete, .options, .head, HTTPMethod(rawValue: "PURGE")])
    func `other requests say nothing about a body`(method: HTTPMethod) async throws {
        let received = try await received(HTTPRequest(method, "/"))
        #expect(received.method == method.rawValue)
        #expect(received.header("Content-Length") == nil)
    }

    @Test(arguments: [HTTPMethod.get, .delete, .options, .put, .patch])
    func `any method can carry a body`(method: HTTPMethod) async throws {
        let received = try await received(HTTPRequest(method, "/", body: .json(Array("{}".utf8))))
        #expect(received.method == method.rawValue)
        #expect(received.text == "{}")
        #expect(received.header("Content-Type") == "application/json")
    }

    @Test func `a header may be empty, repeated, and not ASCII`() async throws {
        var headers: HTTPHeaders = ["X-Empty": "", "X-Two": "1"]
        headers.add("X-Two", "2")
        headers.add("X-Text", "grün")
        let received = try await received(HTTPRequest(.get, "/", headers: headers))
        #expect(received.values(of: "X-Empty") == [""])
        #expect(received.values(of: "X-Two") == ["1", "2"])
        #expect(received.header("X-Text") == "grün")
    }

    @Test func `a large body arrives whole`() async throws {
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let received = try await received(
            HTTPRequest(.put, "/", body: .bytes(body, contentType: "a/b")))
        #expect(received.body == body)
        #expect(received.header("Content-Length") == "3000000")
        #expect(received.header("Expect") == nil)
    }

    @Test func `what was sent is recorded unless the request says no`() async throws {
        try await withLoopbackServer { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.post, server.url, body: .text("a"))
                request.authentication = .bearer(token: "t0k3n")
                let recorded = try await client.send(request)
                let lines = recorded.final.requestHeaders.map { "\($0.name): \($0.value)" }
                #expect(lines == server.requests[0].headerLines)
                request.recordsRequestHeaders = false
                let unrecorded = try await client.send(request)
                #expect(unrecorded.final.requestHeaders.isEmpty)
                #expect(server.requests[1].headerLines == server.requests[0].headerLines)
            }
        }
    }

    @Test func `an address is encoded where it must be`() async throws {
        let received = try await received(HTTPRequest(.get, "/ä/%20?q=ü#fragment"))
        #expect(received.target.lowercased() == "/%c3%a4/%20?q=%c3%bc")
    }
}
