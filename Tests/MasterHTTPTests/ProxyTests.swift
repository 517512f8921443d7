import MasterTesting
import Testing

@testable import MasterHTTP

@Suite(.timeLimit(.minutes(1)))
struct ProxyTests {
    @Test func `a proxy gets the whole address`() async throws {
        try await withLoopbackServer(handler: { _ in .text("by proxy") }) { proxy in
            try await withHTTPClient { client in
                var request = HTTPRequest(.get, "http://example.invalid/path?q=1")
                request.proxies = .map(["http": "user:s3cret@127.0.0.1:\(proxy.port)"])
                let response = try await client.send(request)
                #expect(response.text == "by proxy")
                let received = proxy.requests[0]
                #expect(received.target == "http://example.invalid/path?q=1")
                #expect(received.header("Host") == "example.invalid")
                #expect(received.header("Proxy-Authorization") == "Basic dXNlcjpzM2NyZXQ=")
            }
        }
    }

    @Test func `the environment names proxies and exceptions`() async throws {
        try await withLoopbackServer(handler: { _ in .text("by proxy") }) { proxy in
            try await withLoopbackServer(handler: { _ in .text("direct") }) { server in
                let environment = [
                    "http_proxy": proxy.url, "NO_PROXY": "other.example, 127.0.0.0/8",
                ]
                let configuration = HTTPClientConfiguration(environment: environment)
                try await withHTTPClient(configuration) { client in
                    var texts: [String] = []
                    texts.append(try await client.send(HTTPRequest(.get, server.url)).text)
                    var request = HTTPRequest(.get, "http://example.invalid/")
                    texts.append(try await client.send(request).text)
                    request.proxies = HTTPProxies.none
                    let error = await #expect(throws: HTTPError.self) {
                        try await client.send(request)
                    }
                    #expect(error?.code == .nameNotFound)
                    #expect(texts == ["direct", "by proxy"])
                }
            }
        }
    }

    @Test func `a tunnel carries no header of the request, and its refusal is said`() async throws {
        try await withLoopbackServer(handler: { _ in .respond(status: 407) }) { proxy in
            try await withHTTPClient { client in
                var request = HTTPRequest(
                    .post, "https://example.invalid/x", headers: ["X-Api-Key": "s3cret"])
                request.authentication = .bearer(token: "t0k3n")
                request.cookies = [HTTPPair("a", "b")]
                request.proxies = .map(["https://example.invalid": proxy.url, "https": "http://x"])
                let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
                #expect(error?.code == .proxy)
                #expect(error?.message.contains("with status 407") == true)
                #expect(error?.mayHaveArrived == false)
                let received = proxy.requests[0]
                #expect(received.method == "CONNECT")
                #expect(received.target == "example.invalid:443")
                #expect(
                    Set(received.headers.map(\.name)).isSubset(of: [
                        "Host", "User-Agent", "Proxy-Connection",
                    ]))
            }
        }
    }

    @Test(arguments: [
        (ServerAnswer.closeBeforeAnswer, "closed the connection before it opened one to"),
        (.reset, "closed the connection before it opened one to"),
        (.hang, "accepted the connection but opened none to"),
    ])
    func `a proxy that opens no tunnel is blamed, not the server`(
        answer: ServerAnswer, words: String
    ) async throws {
        try await withLoopbackServer(handler: { _ in answer }) { proxy in
            try await withHTTPClient { client in
                var request = HTTPRequest(.post, "https://example.invalid/x")
                request.proxies = .map(["all": proxy.url])
                request.timeout.connect = .milliseconds(300)
                let error = try await #require(throws: HTTPError.self) {
                    try await client.send(request)
                }
                #expect(error.code == .proxy || error.code == .connectTimeout)
                let start = "the proxy 127.0.0.1:\(proxy.port) "
                #expect(error.message.hasPrefix(start + words), "\(error.message)")
                #expect(!error.mayHaveArrived)
            }
        }
    }

    @Test func `a proxy that passes on no answer is blamed`() async throws {
        try await withLoopbackServer(handler: { _ in .closeBeforeAnswer }) { proxy in
            try await withHTTPClient { client in
                var request = HTTPRequest(.get, "http://example.invalid/x")
                request.proxies = .map(["all": proxy.url])
                let error = try await #require(throws: HTTPError.self) {
                    try await client.send(request)
                }
                #expect(error.code == .closedEarly)
                #expect(error.message.hasPrefix("the proxy 127.0.0.1:"), "\(error.message)")
            }
        }
    }

    @Test(arguments: [
        ("http://127.0.0.1:1", "cannot be reached"), ("ftp://h", "unknown scheme"),
        ("http://us:s3cret@:9/", "is invalid"), ("http://no-such-proxy.invalid:1", "not known"),
    ])
    func `a proxy that does not work is said`(url: String, words: String) async throws {
        try await withHTTPClient { client in
            var request = HTTPRequest(.get, "http://example.invalid/")
            request.proxies = .map(["all": url])
            let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
            #expect(error?.code == .proxy)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("s3cret") == false)
        }
    }

    @Test(arguments: [
        ("*", true), ("example.com", true), (".example.com", true), ("com", true),
        ("ample.com", false), ("example.com:8080", true), ("example.com:80", false), ("", false),
        ("a.example.com", false), ("10.0.0.0/8", false), ("x, EXAMPLE.com", true), ("*.com", true),
    ])
    func `exceptions match hosts and domains`(list: String, isMatch: Bool) throws {
        #expect(try NoProxyList(list).matches(HTTPAddress("http://example.com:8080/")) == isMatch)
    }

    @Test(arguments: [
        ("10.0.0.0/8", true), ("10.1.2.3", true), ("10.1.2.0/24", true), ("10.1.3.0/24", false),
        ("0.0.0.0/0", true), ("10.1.2.3/33", false), ("10.1.2/24", false),
    ])
    func `exceptions match networks`(list: String, isMatch: Bool) throws {
        #expect(try NoProxyList(list).matches(HTTPAddress("http://10.1.2.3/")) == isMatch)
    }

    @Test func `HTTP_PROXY is not believed under CGI`() throws {
        let address = try HTTPAddress("http://example.com/")
        let proxies = EnvironmentProxies(["HTTP_PROXY": "http://evil", "REQUEST_METHOD": "GET"])
        #expect(proxies.proxy(for: address) == nil)
        #expect(EnvironmentProxies(["HTTP_PROXY": "http://p"]).proxy(for: address) == "http://p")
        #expect(EnvironmentProxies(["all_proxy": "http://p"]).proxy(for: address) == "http://p")
    }
}
