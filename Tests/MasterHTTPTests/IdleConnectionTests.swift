import Foundation
import MasterHTTP
import MasterTesting
import Testing

/// What happens to a connection between two requests.
@Suite(.timeLimit(.minutes(2)))
struct IdleConnectionTests {
    static let unasked: [[UInt8]] = [
        Array("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n".utf8),
        Array("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlies".utf8), [],
    ]

    @Test(arguments: unasked, [true, false])
    func `an answer that nobody asked for is nobody's answer`(
        bytes: [UInt8], isRecorded: Bool
    ) async throws {
        let gate = try ServerGate()
        let handler: LoopbackServer.Handler = { request in
            request.method == "GET"
                ? .followed(.text("first"), by: bytes, gate) : .text("arrived")
        }
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                for round in 1...3 {
                    var request = HTTPRequest(.get, server.url)
                    request.recordsRequestHeaders = isRecorded
                    let text = try await client.send(request).text
                    #expect(text == "first")
                    gate.pass()
                    await gate.done()
                    request.method = .post
                    request.body = .text("\(round)")
                    let response = try await client.send(request)
                    #expect(response.status == 200)
                    #expect(response.text == "arrived")
                }
                let posts = server.requests.filter { $0.method == "POST" }
                #expect(posts.map(\.text) == ["1", "2", "3"])
            }
        }
    }

    @Test func `a quiet connection is used again`() async throws {
        try await withLoopbackServer { server in
            try await withHTTPClient { client in
                for _ in 0..<5 { _ = try await client.send(HTTPRequest(.get, server.url)) }
                #expect(server.connectionCount == 1)
            }
        }
    }

    @Test(arguments: [true, false])
    func `after the server's end of TLS a request goes over a new connection`(
        isRecorded: Bool
    ) async throws {
        try await withTemporaryFolder { folder in
            let certificates = try await TestCertificates.make(in: folder)
            try await withTLSServer(certificates, keepAlive: 0.2) { url in
                try await withHTTPClient { client in
                    for _ in 0..<3 {
                        for method in [HTTPMethod.get, .post] {
                            var request = HTTPRequest(method, url)
                            request.tls = HTTPTLS(verification: .off)
                            request.recordsRequestHeaders = isRecorded
                            if method == .post { request.body = .text("once") }
                            let status = try await client.send(request).status
                            #expect(status == 200)
                            // The server's keep-alive time must pass in real time.
                            try await Task.sleep(for: .milliseconds(500))
                        }
                    }
                }
            }
        }
    }

    @Test func `a continuation line after another request harms nothing`() async throws {
        let bad = Array("HTTP/1.1 200 OK\r\n folded: x\r\nContent-Length: 0\r\n\r\n".utf8)
        try await withLoopbackServer(handler: { request in
            request.path == "/bad" ? .raw(bad) : .text("ok", headers: [("X-Long", "value")])
        }) { server in
            try await withHTTPClient { client in
                for _ in 0..<20 {
                    _ = try await client.send(HTTPRequest(.get, server.url))
                    let error = await #expect(throws: HTTPError.self) {
                        try await client.send(HTTPRequest(.get, "\(server.url)/bad"))
                    }
                    #expect(error?.code == .malformedResponse)
                }
            }
        }
    }
}
