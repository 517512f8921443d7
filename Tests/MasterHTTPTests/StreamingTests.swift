import MasterTesting
import Testing

@testable import MasterHTTP

@Suite(.timeLimit(.minutes(1)))
struct StreamingTests {
    @Test func `a body is handed over piece by piece`() async throws {
        let body = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try await withLoopbackServer(handler: { _ in .respond(body: body) }) { server in
            try await withHTTPClient { client in
                var received: [UInt8] = []
                var pieces = 0
                var request = HTTPRequest(.get, server.url)
                request.responseLimit = 10
                let response = try await client.send(request) { piece in
                    received += piece
                    pieces += 1
                }
                #expect(received == body)
                #expect(pieces > 1)
                #expect(response.status == 200)
                #expect(response.body.isEmpty)
            }
        }
    }

    @Test func `a receiver that does not take stops the server, and is no silence`() async throws {
        // 64 pieces of 1 MiB, far more than the sockets and the pipe can hold.
        let piece = [UInt8](repeating: 0x41, count: 1 << 20)
        let head = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
        let gate = try ServerGate()
        gate.open()
        let handler: LoopbackServer.Handler = { request in
            request.path == "/hang"
                ? .hang : .trickle([head] + Array(repeating: piece, count: 64), gate)
        }
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.get, server.url)
                request.timeout.silence = .milliseconds(300)
                var longer = HTTPRequest(.get, "\(server.url)/hang")
                longer.timeout.silence = .milliseconds(900)
                var received = 0
                var largest = 0
                _ = try await client.send(request) { piece in
                    // While the receiver reads nothing, the server is not responsible for the
                    // silence.
                    if received == 0 {
                        await #expect(throws: HTTPError.self) { try await client.send(longer) }
                    }
                    received += piece.count
                    largest = max(largest, piece.count)
                }
                #expect(received == 64 << 20)
                #expect(largest <= BodyStream.capacity + (16 << 10))
            }
        }
    }

    @Test func `an error of the receiver ends the transfer and is thrown`() async throws {
        struct Enough: Error {}
        let endless = ServerAnswer.endless(
            head: Array("HTTP/1.1 200 OK\r\n\r\n".utf8),
            repeating: [UInt8](repeating: 0x41, count: 65536))
        let handler: LoopbackServer.Handler = { $0.path == "/short" ? .text("A") : endless }
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                for url in [server.url, server.url + "/short"] {
                    await #expect(throws: Enough.self) {
                        try await client.send(HTTPRequest(.get, url)) { _ in throw Enough() }
                    }
                }
                let bad = HTTPRequest(.get, "http://127.0.0.1:1/")
                let error = await #expect(throws: HTTPError.self) {
                    try await client.send(bad) { _ in }
                }
                #expect(error?.code == .refused)
            }
        }
    }

    @Test func `only the final body is handed over`() async throws {
        let handler: LoopbackServer.Handler = { request in
            request.path == "/end"
                ? .text("final")
                : .respond(status: 302, headers: [("Location", "/end")], body: Array("moved".utf8))
        }
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                var received = ""
                var request = HTTPRequest(.get, server.url)
                let response = try await client.send(request) { piece in
                    received += String(decoding: piece, as: UTF8.self)
                }
                #expect(received == "final")
                #expect(response.history.first?.text == "moved")
                request.redirects = .none
                received = ""
                _ = try await client.send(request) { piece in
                    received += String(decoding: piece, as: UTF8.self)
                }
                #expect(received == "moved")
            }
        }
    }

    @Test func `an empty location redirects nowhere, so its body is the final one`() async throws {
        let handler: LoopbackServer.Handler = { _ in
            .respond(status: 302, headers: [("Location", "")], body: Array("here".utf8))
        }
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                var received = ""
                let request = HTTPRequest(.get, server.url)
                let response = try await client.send(request) { piece in
                    received += String(decoding: piece, as: UTF8.self)
                }
                #expect(received == "here")
                #expect(response.status == 302 && response.body.isEmpty)
            }
        }
    }

    @Test func `a body that ends early is an error after its pieces`() async throws {
        let answer = ServerAnswer.closeHalfway(body: Array("halfway".utf8), after: 4)
        try await withLoopbackServer(handler: { _ in answer }) { server in
            try await withHTTPClient { client in
                var received = ""
                let error = await #expect(throws: HTTPError.self) {
                    try await client.send(HTTPRequest(.get, server.url)) { piece in
                        received += String(decoding: piece, as: UTF8.self)
                    }
                }
                #expect(error?.code == .closedEarly)
                #expect(received == "half")
            }
        }
    }
}
