import MasterHTTP
import MasterTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TLSTests {
    private func withCertificates(_ body: (TestCertificates) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try await body(TestCertificates.make(in: folder))
        }
    }

    private func request(_ url: String, _ tls: HTTPTLS) -> HTTPRequest {
        var request = HTTPRequest(.get, url)
        request.tls = tls
        return request
    }

    @Test func `a certificate is trusted through a file or a folder of authorities`() async throws {
        try await withCertificates { certificates in
            try await withTLSServer(certificates) { url in
                for path in [certificates.authority, certificates.authorityFolder] {
                    try await withHTTPClient { client in
                        let tls = HTTPTLS(verification: .authorities(path: path))
                        let response = try await client.send(request(url, tls))
                        #expect(response.text == "1 -" || response.text == "2 -")
                    }
                }
            }
        }
    }

    @Test func `a certificate that is not trusted is refused with the reason`() async throws {
        try await withCertificates { certificates in
            try await withTLSServer(certificates) { url in
                try await withHTTPClient { client in
                    for tls in [
                        HTTPTLS(),
                        HTTPTLS(verification: .authorities(path: certificates.stranger)),
                    ] {
                        let error = await #expect(throws: HTTPError.self) {
                            try await client.send(request(url, tls))
                        }
                        #expect(error?.code == .tls)
                        let message = error?.message ?? ""
                        #expect(message.contains("the certificate of 127.0.0.1:"), "\(message)")
                        #expect(message.contains("is not trusted: unable to get local issuer"))
                        #expect(message.contains("set verify to a CA file or to false"))
                        #expect(error?.mayHaveArrived == false)
                    }
                }
            }
        }
    }

    @Test func `a certificate for another host is refused`() async throws {
        try await withCertificates { certificates in
            try await withTLSServer(certificates, showing: "elsewhere") { url in
                try await withHTTPClient { client in
                    let tls = HTTPTLS(verification: .authorities(path: certificates.authority))
                    let error = await #expect(throws: HTTPError.self) {
                        try await client.send(request(url, tls))
                    }
                    #expect(error?.code == .tls)
                    #expect(error?.message.contains("127.0.0.1") == true)
                }
            }
        }
    }

    @Test func `a connection is never used again under other TLS settings`() async throws {
        try await withCertificates { certificates in
            try await withTLSServer(certificates) { url in
                try await withHTTPClient { client in
                    let off = HTTPTLS(verification: .off)
                    let trusting = HTTPTLS(verification: .authorities(path: certificates.authority))
                    let withClient = HTTPTLS(
                        verification: .authorities(path: certificates.authority),
                        clientCertificate: certificates.certificate("client"),
                        key: certificates.key("client"))
                    var texts: [String] = []
                    for tls in [off, off, trusting, trusting, withClient, withClient, off] {
                        texts.append(try await client.send(request(url, tls)).text)
                    }
                    #expect(texts == ["1 -", "1 -", "2 -", "2 -", "3 -", "3 -", "1 -"])
                    let error = await #expect(throws: HTTPError.self) {
                        try await client.send(request(url, HTTPTLS()))
                    }
                    #expect(error?.code == .tls)
                }
            }
        }
    }

    @Test func `a session's TLS settings hold unless the request has its own`() async throws {
        try await withCertificates { certificates in
            try await withTLSServer(certificates) { url in
                try await withHTTPClient { client in
                    let session = client.makeSession(
                        HTTPSessionConfiguration(tls: HTTPTLS(verification: .off)))
                    let response = try await client.send(HTTPRequest(.get, url), in: session)
                    #expect(response.status == 200)
                    await #expect(throws: HTTPError.self) {
                        try await client.send(request(url, HTTPTLS()), in: session)
                    }
                }
            }
        }
    }

    @Test func `a client certificate is shown, and its lack is said`() async throws {
        try await withCertificates { certificates in
            try await withTLSServer(certificates, asksForClient: true) { url in
                try await withHTTPClient { client in
                    var tls = HTTPTLS(verification: .authorities(path: certificates.authority))
                    let error = await #expect(throws: HTTPError.self) {
                        try await client.send(request(url, tls))
                    }
                    #expect(error?.code == .tls, "\(error?.message ?? "")")
                    tls.clientCertificate = certificates.certificate("client")
                    tls.key = certificates.key("client")
                    let response = try await client.send(request(url, tls))
                    #expect(response.text.hasSuffix(" client"))
                }
            }
        }
    }

    @Test func `files that cannot be used are named`() async throws {
        try await withCertificates { certificates in
            let key = certificates.key("client")
            let certificate = certificates.certificate("client")
            let cases: [(HTTPTLS, String)] = [
                (HTTPTLS(verification: .authorities(path: "/nonexistent")), "/nonexistent"),
                (HTTPTLS(clientCertificate: "/nonexistent"), "/nonexistent"),
                (HTTPTLS(clientCertificate: certificate, key: "/nonexistent"), "/nonexistent"),
                (HTTPTLS(key: key), "without a client certificate"),
                (HTTPTLS(verification: .off, clientCertificate: key), key),
                (HTTPTLS(verification: .authorities(path: key)), key),
            ]
            try await withTLSServer(certificates) { url in
                try await withHTTPClient { client in
                    for (tls, words) in cases {
                        let error = await #expect(throws: HTTPError.self) {
                            try await client.send(request(url, tls))
                        }
                        #expect(error?.code == .tls)
                        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
                    }
                }
            }
        }
    }

    @Test func `a server that speaks no TLS is said`() async throws {
        try await withLoopbackServer(handler: { _ in .hang }) { server in
            try await withHTTPClient { client in
                let url = server.url.replacing("http://", with: "https://")
                var request = HTTPRequest(.get, url)
                request.timeout.connect = .milliseconds(300)
                let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
                #expect(error?.code == .connectTimeout)
                let message = error?.message ?? ""
                #expect(message.contains("did not complete the TLS handshake"), "\(message)")
                #expect(!message.contains("firewall"))
                #expect(error?.mayHaveArrived == false)
            }
        }
    }
}
