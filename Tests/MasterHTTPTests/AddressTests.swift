import MasterTesting
import Testing

@testable import MasterHTTP

@Suite(.timeLimit(.minutes(1)))
struct AddressTests {
    @Test(arguments: [
        ("http://bücher.example/ü", "xn--bcher-kva.example"),
        ("http://B%C3%9CCHER.example/", "xn--bcher-kva.example"),
        ("http://straße.example/", "xn--strae-oqa.example"),
        ("http://例え.テスト/", "xn--r8jz45g.xn--zckzah"),
    ])
    func `an international host is punycode everywhere`(url: String, host: String) throws {
        let address = try HTTPAddress(url)
        #expect(address.host == host)
        #expect(address.origin == "http://\(host):80")
        #expect(address.encoded.hasPrefix("http://\(host)/"))
        #expect(try address.mayKeepCredentials(of: HTTPAddress("http://\(host)/")))
        #expect(NoProxyList("bücher.example").matches(address) == (host == "xn--bcher-kva.example"))
    }

    @Test(arguments: [
        "http://h", "https://h", "http://h/", "http://h:80", "http://a_b.c-d/~x/;y,z:@!?/&=+",
        "https://ci.example:8443/hooks/b_1?a=B", "http://127.0.0.1:9980/status",
        "http://255.255.255.255/", "http://h//a//b/...", "http://h/.well-known/x..y?..",
    ])
    func `a plain URL is read without libcurl`(url: String) throws {
        _ = try #require(HTTPAddress(plain: url))
        #expect(try HTTPAddress(url) == HTTPAddress(parsing: url))
    }

    @Test(arguments: [
        "http://H/", "http://127.1/", "http://0x7f.0.0.1/", "http://127.0.0.01/",
        "http://1.2.3.256/", "http://1.2.3.4.5/", "http://2130706433/", "http://h./",
        "http://h:080/", "http://h:0/", "http://h:65536/", "http://h:/", "http://h:1:2/",
        "http://u@h/", "http://u:p@h/", "http://h?x", "http://h/?", "http://h/#x", "http://h/%41",
        "http://h/a/../b", "http://h/.", "http://h/a b", "http://bücher/", "http://h/ü",
        "http://[::1]/", "HTTP://h/", "ftp://h/", "http:///", "http://",
    ])
    func `any other URL is left to libcurl`(url: String) {
        #expect(HTTPAddress(plain: url) == nil)
    }

    @Test func `a plain URL has the parts that libcurl finds`() throws {
        let pieces = [
            "a", "B", "z9", "0", "7", "255", ".", "-", "_", ":", "/", "?", "@", "~", "+", ";",
        ]
        var count = 0
        for _ in 0..<20_000 {
            let rest = (0..<Int.random(in: 1...10)).map { _ in pieces.randomElement() ?? "" }
            let url = (Bool.random() ? "http://" : "https://") + rest.joined()
            guard HTTPAddress(plain: url) != nil else { continue }
            count += 1
            #expect(try HTTPAddress(url) == HTTPAddress(parsing: url), "\(url)")
        }
        #expect(count > 500)
    }

    @Test func `an international host is sent as punycode`() async throws {
        try await withLoopbackServer(handler: { _ in .text("ok") }) { proxy in
            try await withHTTPClient { client in
                var request = HTTPRequest(.get, "http://bücher.example/x")
                request.proxies = .map(["http://bücher.example": proxy.url])
                let text = try await client.send(request).text
                #expect(text == "ok")
                #expect(proxy.requests[0].header("Host") == "xn--bcher-kva.example")
                #expect(proxy.requests[0].target == "http://xn--bcher-kva.example/x")
            }
        }
    }

    @Test(arguments: [
        ("http://SecRet.invalid/x", "SecRet.invalid"),
        ("http://%53ecRet.invalid/", "%53ecRet.invalid"),
        ("http://Sécret.invalid/", "Sécret.invalid"),
        ("http://u:p@SecRet.invalid/", "http://u:p@SecRet.invalid/"),
        ("http://SecRet.invalid:99/Path/x", "SecRet.invalid:99/Path"),
    ])
    func `no part of a secret host is shown`(url: String, secret: String) async throws {
        try await withHTTPClient { client in
            var request = HTTPRequest(.get, url)
            request.proxies = HTTPProxies.none
            let error = try await #require(throws: HTTPError.self) {
                try await client.send(request, hiding: { $0.replacing(secret, with: "<key>") })
            }
            #expect(error.code == .nameNotFound, "\(error.message)")
            #expect(error.message.contains("<key>"), "\(error.message)")
            for part in ["ecret", "ecRet", "invalid", "xn--"]
            where secret.lowercased().contains(part.lowercased()) {
                #expect(!error.message.lowercased().contains(part.lowercased()), "\(error.message)")
            }
        }
    }

    @Test func `no part of a secret proxy is shown`() async throws {
        try await withHTTPClient { client in
            var request = HTTPRequest(.get, "http://example.invalid/")
            request.proxies = .map(["all": "http://SecRet.invalid:9/"])
            let error = try await #require(throws: HTTPError.self) {
                try await client.send(
                    request, hiding: { $0.replacing("SecRet.invalid", with: "<key>") })
            }
            #expect(error.message.contains("the proxy <key>"), "\(error.message)")
            #expect(!error.message.lowercased().contains("secret"), "\(error.message)")
        }
    }

    @Test func `a secret before two dots is shown by its name`() async throws {
        try await withLoopbackServer { server in
            try await withHTTPClient { client in
                let response = try await client.send(
                    HTTPRequest(.get, "\(server.url)/first/last/../x"),
                    hiding: { $0.replacing("first/last", with: "<key>") })
                #expect(response.final.url == "\(server.url)/<key>/../x")
                #expect(server.requests[0].target == "/first/x")
            }
        }
    }
}
