import MasterHTTP
import MasterTesting
import Testing

/// Requests that are rejected before anything is sent.
@Suite(.timeLimit(.minutes(1)))
struct BadRequestTests {
    private func fault(_ request: HTTPRequest) async throws -> HTTPError {
        try await withHTTPClient { client in
            try await #require(throws: HTTPError.self) { try await client.send(request) }
        }
    }

    @Test(arguments: [
        ("", HTTPError.Code.invalidURL, "is empty"),
        ("http//x", .invalidURL, "http://"),
        ("example.com/path", .invalidURL, "http://"),
        ("://x", .invalidURL, "http://"),
        ("http://", .invalidURL, "host"),
        ("http:///path", .invalidURL, "no host"),
        ("http://a b/", .invalidURL, "space"),
        ("http://a/b c", .invalidURL, "%20"),
        ("http://a/\r\nX: y", .invalidURL, "control"),
        ("http://a/\u{0}", .invalidURL, "control"),
        ("http://a:99999/", .invalidURL, "port"),
        ("http://a:0/", .invalidURL, "port"),
        ("http://a:x/", .invalidURL, "port"),
        ("http://[::1/", .invalidURL, "address"),
        ("http://exa<mple/", .invalidURL, "host"),
        ("ftp://a/b", .unsupportedScheme, "ftp://"),
        ("file://h/etc/passwd", .unsupportedScheme, "file://"),
        ("gopher://a/", .unsupportedScheme, "gopher://"),
        ("http://a/" + String(repeating: "x", count: 70_000), .invalidURL, "65536"),
    ])
    func `an invalid URL is refused in words`(
        url: String, code: HTTPError.Code, words: String
    ) async throws {
        let error = try await fault(HTTPRequest(.get, url))
        #expect(error.code == code)
        #expect(error.message.contains(words), "\(error.message)")
        #expect(!error.mayHaveArrived)
    }

    @Test(arguments: ["", "G ET", "GET\r\nX: y", "CONNECT", "GÄT"])
    func `an invalid method is refused`(method: String) async throws {
        let error = try await fault(
            HTTPRequest(HTTPMethod(rawValue: method), "http://127.0.0.1:9/"))
        #expect(error.code == .invalidMethod)
        #expect(!error.message.contains("\n"))
    }

    @Test func `a HEAD request has no body`() async throws {
        let error = try await fault(
            HTTPRequest(.head, "http://127.0.0.1:9/", body: .text("body")))
        #expect(error.code == .invalidMethod)
    }

    @Test func `a header with a line end is refused`() async throws {
        let error = try await fault(
            HTTPRequest(.get, "http://127.0.0.1:9/", headers: ["X": "a\r\nY: b"]))
        #expect(error.code == .invalidHeader)
    }

    @Test func `headers that frame the body are not the caller's`() async throws {
        for header: HTTPHeaders in [["Transfer-Encoding": "chunked"], ["content-length": "5"]] {
            let request = HTTPRequest(
                .post, "http://127.0.0.1:9/", headers: header, body: .text("ab"))
            #expect(try await fault(request).code == .invalidHeader)
        }
        try await withLoopbackServer { server in
            try await withHTTPClient { client in
                let same = HTTPRequest(
                    .post, server.url, headers: ["Content-Length": "2"], body: .text("ab"))
                _ = try await client.send(same)
                #expect(server.requests[0].values(of: "Content-Length") == ["2"])
            }
        }
    }

    @Test func `a cookie or a credential with a line end is refused`() async throws {
        var request = HTTPRequest(.get, "http://127.0.0.1:9/")
        request.cookies = [HTTPPair("a", "b\r\nX: y")]
        #expect(try await fault(request).code == .invalidHeader)
        request.cookies = [HTTPPair("a", "b; c=d")]
        #expect(try await fault(request).code == .invalidHeader)
        request.cookies = []
        request.authentication = .bearer(token: "s3cret\r\nX: y")
        let error = try await fault(request)
        #expect(error.code == .invalidHeader)
        #expect(!error.message.contains("s3cret"))
        request.authentication = .digest(user: "u", password: "p\u{0}")
        #expect(try await fault(request).code == .invalidHeader)
    }

    @Test func `a password is never in a message or a dump`() async throws {
        let error = try await fault(HTTPRequest(.get, "http://user:s3cret@127.0.0.1:1/"))
        #expect(error.code == .refused)
        #expect(!"\(error)".contains("s3cret"))
        #expect(!"\(error)".contains("user"))
        var dumped = ""
        dump(HTTPAuthentication.basic(user: "user", password: "s3cret"), to: &dumped)
        #expect(!dumped.contains("s3cret"))
        #expect(!String(reflecting: HTTPAuthentication.bearer(token: "s3cret")).contains("s3cret"))
    }

    @Test(arguments: ["/nonexistent/file", "/", "/dev/zero", "a\u{0}b"])
    func `a file that cannot be read is named`(path: String) async throws {
        let body = HTTPBody.file(path: path, contentType: nil)
        let error = try await fault(HTTPRequest(.post, "http://127.0.0.1:9/", body: body))
        #expect(error.code == .fileUnreadable)
        #expect(error.message.hasPrefix("the file "))
    }
}
