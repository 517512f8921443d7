import Glibc
import MasterHTTP
import MasterTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ConcurrencyTests {
    @Test func `two hundred requests at once share the connections allowed`() async throws {
        let handler: LoopbackServer.Handler = { .respond(body: $0.body) }
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient(HTTPClientConfiguration(maximumPerHost: 8)) { client in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<200 {
                        group.addTask {
                            let body = String(repeating: "\(number) ", count: 500)
                            let request = HTTPRequest(.post, server.url, body: .text(body))
                            return try await client.send(request).text == body
                        }
                    }
                    for try await isSame in group { #expect(isSame) }
                }
                #expect(server.requests.count == 200)
                #expect(server.connectionCount <= 8)
            }
        }
    }

    @Test func `one after the other use one connection`() async throws {
        try await withLoopbackServer { server in
            try await withHTTPClient { client in
                for number in 0..<20 {
                    let method: HTTPMethod = number % 2 == 0 ? .post : .get
                    _ = try await client.send(HTTPRequest(method, server.url))
                }
                #expect(server.connectionCount == 1)
                #expect(server.requests.map(\.connection) == Array(repeating: 1, count: 20))
            }
        }
    }

    @Test func `a host that hangs does not hold up another`() async throws {
        try await withLoopbackServer(handler: { _ in .hang }) { hanging in
            try await withLoopbackServer { server in
                let configuration = HTTPClientConfiguration(maximumInFlight: 4, maximumPerHost: 2)
                try await withHTTPClient(configuration) { client in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<20 {
                            group.addTask {
                                _ = try await client.send(HTTPRequest(.get, hanging.url))
                            }
                        }
                        await hanging.waitForRequests(2)
                        for _ in 0..<5 {
                            let response = try await client.send(HTTPRequest(.get, server.url))
                            #expect(response.status == 200)
                        }
                        #expect(hanging.requests.count == 2)
                        group.cancelAll()
                    }
                }
            }
        }
    }

    @Test func `a connection the server closed meanwhile is replaced`() async throws {
        try await withHTTPClient { client in
            let first = try LoopbackServer { _ in
                .respond(headers: [("Connection", "close")])
            }
            _ = try await client.send(HTTPRequest(.post, first.url))
            _ = try await client.send(HTTPRequest(.post, first.url))
            #expect(first.connectionCount == 2)
            await first.stop()
        }
    }

    @Test func `children of this process do not inherit connections`() async throws {
        try await withLoopbackServer(handler: { _ in .hang }) { server in
            try await withHTTPClient { client in
                let task = Task { try await client.send(HTTPRequest(.get, server.url)) }
                await server.waitForRequests(1)
                var inherited: [Int32] = []
                for descriptor in Int32(0)..<256 {
                    guard fcntl(descriptor, F_GETFD) == 0, isConnected(descriptor, to: server.port)
                    else { continue }
                    inherited.append(descriptor)
                }
                #expect(inherited.isEmpty)
                task.cancel()
                await #expect(throws: HTTPError.self) { try await task.value }
            }
        }
    }

    private func isConnected(_ descriptor: Int32, to port: Int) -> Bool {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getpeername(descriptor, $0, &size)
            }
        }
        return result == 0 && Int(UInt16(bigEndian: address.sin_port)) == port
    }
}
