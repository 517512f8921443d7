import MasterHTTP
import MasterTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct CancellationTests {
    @Test func `a cancelled request ends at once, and its connection with it`() async throws {
        try await withLoopbackServer(handler: { _ in .hang }) { server in
            try await withHTTPClient { client in
                let request = HTTPRequest(.post, server.url, body: .text("body"))
                let task = Task { try await client.send(request) }
                await server.waitForRequests(1)
                task.cancel()
                let error = await #expect(throws: HTTPError.self) { try await task.value }
                #expect(error?.code == .cancelled)
                #expect(error?.mayHaveArrived == true)
            }
        }
    }

    @Test func `a request cancelled before it begins is never sent`() async throws {
        try await withLoopbackServer { server in
            try await withHTTPClient { client in
                let request = HTTPRequest(.get, server.url)
                let task = Task {
                    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                    return try await client.send(request)
                }
                let error = await #expect(throws: HTTPError.self) { try await task.value }
                #expect(error?.code == .cancelled)
                #expect(error?.mayHaveArrived == false)
                _ = try await client.send(request)
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test func `a cancelled stream ends`() async throws {
        let answer = ServerAnswer.endless(
            head: Array("HTTP/1.1 200 OK\r\n\r\n".utf8), repeating: [0x41])
        try await withLoopbackServer(handler: { _ in answer }) { server in
            try await withHTTPClient { client in
                let request = HTTPRequest(.get, server.url)
                let task = Task {
                    try await client.send(request) { _ in
                        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                    }
                }
                let error = await #expect(throws: HTTPError.self) { try await task.value }
                #expect(error?.code == .cancelled)
            }
        }
    }

    @Test func `a request that waits for a slot can be cancelled, or run out of time`() async throws
    {
        let configuration = HTTPClientConfiguration(maximumInFlight: 1)
        try await withLoopbackServer(handler: { _ in .hang }) { server in
            try await withHTTPClient(configuration) { client in
                var request = HTTPRequest(.get, server.url)
                let first = Task { [request] in try await client.send(request) }
                await server.waitForRequests(1)
                let second = Task { [request] in try await client.send(request) }
                request.timeout.total = .milliseconds(100)
                let late = await #expect(throws: HTTPError.self) { try await client.send(request) }
                #expect(late?.code == .totalTimeout)
                #expect(late?.mayHaveArrived == false)
                second.cancel()
                let cancelled = await #expect(throws: HTTPError.self) { try await second.value }
                #expect(cancelled?.code == .cancelled)
                #expect(server.requests.count == 1)
                first.cancel()
                await #expect(throws: HTTPError.self) { try await first.value }
            }
        }
    }

    @Test func `cancelling at any moment neither traps nor loses a request`() async throws {
        try await withLoopbackServer { server in
            try await withHTTPClient { client in
                let request = HTTPRequest(.post, server.url, body: .text("body"))
                await withTaskGroup(of: Bool.self) { group in
                    for number in 0..<400 {
                        group.addTask {
                            let task = Task { try await client.send(request) }
                            for _ in 0..<(number % 40) { await Task.yield() }
                            task.cancel()
                            switch await task.result {
                            case .success(let response): return response.status == 200
                            case .failure(let error):
                                return (error as? HTTPError)?.code == .cancelled
                            }
                        }
                    }
                    for await isExpected in group { #expect(isExpected) }
                }
                let response = try await client.send(request)
                #expect(response.status == 200)
            }
        }
    }

    @Test func `shutting down fails what is under way and what waits`() async throws {
        try await withLoopbackServer(handler: { _ in .hang }) { server in
            let client = HTTPClient(HTTPClientConfiguration(maximumInFlight: 1))
            let request = HTTPRequest(.get, server.url)
            let tasks = (0..<3).map { _ in Task { try await client.send(request) } }
            let stream = Task { try await client.send(request) { _ in } }
            await server.waitForRequests(1)
            await client.shutdown()
            await client.shutdown()
            for task in tasks + [stream] {
                let error = await #expect(throws: HTTPError.self) { try await task.value }
                #expect(error?.code == .shutDown)
            }
            let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
            #expect(error?.code == .shutDown)
        }
    }

    @Test func `a client that is let go of ends its connections`() async throws {
        try await withLoopbackServer { server in
            do {
                let client = HTTPClient()
                _ = try await client.send(HTTPRequest(.get, server.url))
            }
            // The server's thread for the connection ends only when the client closes it.
            await server.stop()
            #expect(server.requests.count == 1)
        }
    }
}
