import Glibc
import MasterHTTP
import MasterTesting
import Synchronization
import Testing

/// Faulty servers and unreachable networks.
@Suite(.timeLimit(.minutes(1)))
struct FailureTests {
    private func fault(
        _ answer: @escaping @Sendable (ReceivedRequest) -> ServerAnswer, readsBodies: Bool = true,
        _ change: (inout HTTPRequest) -> Void = { _ in }
    ) async throws -> HTTPError {
        try await withLoopbackServer(readsBodies: readsBodies, handler: answer) { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.get, server.url)
                change(&request)
                return try await #require(throws: HTTPError.self) {
                    try await client.send(request)
                }
            }
        }
    }

    @Test(arguments: [
        (ServerAnswer.closeBeforeAnswer, HTTPError.Code.closedEarly, "before it answered"),
        (.reset, .closedEarly, "before it answered"),
        (.closeHalfway(body: Array("half".utf8), after: 2), .closedEarly, "before the end"),
        (.raw(Array("HTTP/1.1 200 OK\r\nContent-Le".utf8)), .closedEarly, "closed the connection"),
        (.raw(Array("SSH-2.0-OpenSSH_9.2p1\r\n\r\n".utf8)), .malformedResponse, "not HTTP"),
        (.raw(Array("HTTP/1.1 abc\r\n\r\n".utf8)), .malformedResponse, "not HTTP"),
        (.raw(Array("HTTP/7.5 200 OK\r\n\r\n".utf8)), .malformedResponse, "not HTTP"),
        (
            .raw(Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello".utf8)),
            .malformedResponse, "not HTTP"
        ),
        (
            .raw(Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel".utf8)),
            .closedEarly, "before the end"
        ),
        (
            .raw(Array("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip".utf8)),
            .malformedResponse, "not valid gzip"
        ),
        (
            .raw(Array("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello".utf8)),
            .malformedResponse, "not HTTP"
        ),
        (
            .respond(headers: [("Content-Length", "99999999999")]),
            .tooLarge, "more than 67108864 bytes"
        ),
        (
            .endless(head: Array("HTTP/1.1 200 OK\r\n".utf8), repeating: Array("A: b\r\n".utf8)),
            .headersTooLarge, "headers"
        ),
        (
            .endless(head: Array("HTTP/1.1 200 OK\r\nA: ".utf8), repeating: [0x41]),
            .headersTooLarge, "header"
        ),
        (
            .endless(head: [], repeating: Array("HTTP/1.1 102 Wait\r\n\r\n".utf8)),
            .malformedResponse, "interim answers"
        ),
        (
            .endless(head: Array("HTTP/1.1 200 ".utf8), repeating: [0x41]), .headersTooLarge,
            "status line"
        ),
        (
            .endless(
                head: Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n".utf8),
                repeating: Array("A: b\r\n".utf8)),
            .headersTooLarge, "trailers included"
        ),
        (.raw(Array("HTTP/1.1 200 OK\r\n folded: x\r\n\r\n".utf8)), .malformedResponse, "not HTTP"),
    ])
    func `a bad answer is said in words`(
        answer: ServerAnswer, code: HTTPError.Code, words: String
    ) async throws {
        let error = try await fault({ _ in answer })
        #expect(error.code == code, "\(error.message)")
        #expect(error.message.contains(words), "\(error.message)")
        #expect(error.message.contains("127.0.0.1:"), "\(error.message)")
        #expect(error.mayHaveArrived)
    }

    @Test func `a long body can be cut instead`() async throws {
        let head = Array("HTTP/1.1 202 Accepted\r\n\r\n".utf8)
        let piece = [UInt8](repeating: 0x41, count: 65536)
        try await withLoopbackServer(handler: { _ in .endless(head: head, repeating: piece) }) {
            server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.post, server.url)
                request.responseLimit = 100_000
                request.cutsLongBody = true
                let response = try await client.send(request)
                #expect(response.status == 202)
                #expect(response.body.count == 100_000)
            }
        }
    }

    @Test func `an endless body ends at the limit`() async throws {
        let head = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
        let piece = [UInt8](repeating: 0x41, count: 65536)
        let error = try await fault({ _ in .endless(head: head, repeating: piece) }) {
            $0.responseLimit = 1_000_000
        }
        #expect(error.code == .tooLarge)
        #expect(error.message.contains("1000000 bytes"))
    }

    @Test func `nothing listens`() async throws {
        let server = try LoopbackServer { _ in .hang }
        await server.stop()
        let port = server.port
        let error = try await withHTTPClient { client in
            try await #require(throws: HTTPError.self) {
                try await client.send(HTTPRequest(.post, "http://127.0.0.1:\(port)/"))
            }
        }
        #expect(error.code == .refused)
        #expect(
            error.message.hasPrefix("nothing listens at 127.0.0.1:\(port) (connection refused)"))
        #expect(!error.mayHaveArrived)
    }

    @Test(arguments: [HTTPMethod.post, .get], [ServerAnswer.closeBeforeAnswer, .reset])
    func `a request that may have arrived is not sent again by itself`(
        method: HTTPMethod, answer: ServerAnswer
    ) async throws {
        let count = Mutex(0)
        let handler: LoopbackServer.Handler = { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number == 2 ? answer : .text("ok")
        }
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                let request = HTTPRequest(method, server.url, body: .text("once"))
                _ = try await client.send(request)
                let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
                #expect(error?.mayHaveArrived == true)
                #expect(server.requests.map(\.connection) == [1, 1])
            }
        }
    }

    @Test func `a name that nobody knows`() async throws {
        let error = try await withHTTPClient { client in
            try await #require(throws: HTTPError.self) {
                try await client.send(HTTPRequest(.get, "http://no-such-host.invalid/"))
            }
        }
        #expect(error.code == .nameNotFound)
        #expect(error.message.contains("no-such-host.invalid"))
        #expect(!error.mayHaveArrived)
    }

    @Test func `silence ends a request`() async throws {
        let error = try await fault({ _ in .hang }) { $0.timeout.silence = .milliseconds(150) }
        #expect(error.code == .silenceTimeout)
        #expect(error.message.contains("for 0.15 s"))
        #expect(error.mayHaveArrived)
    }

    @Test func `a request whose headers are not recorded tells the same faults`() async throws {
        let silent = try await fault({ _ in .hang }) {
            $0.recordsRequestHeaders = false
            $0.timeout.silence = .milliseconds(150)
        }
        #expect(silent.code == .silenceTimeout)
        #expect(silent.mayHaveArrived)
        let closed = try await fault({ _ in .closeBeforeAnswer }) {
            $0.recordsRequestHeaders = false
        }
        #expect(closed.code == .closedEarly)
        #expect(closed.mayHaveArrived)
        let refused = try await fault({ _ in .hang }) {
            $0.recordsRequestHeaders = false
            $0.url = "http://127.0.0.1:1/"
        }
        #expect(refused.code == .refused)
        #expect(!refused.mayHaveArrived)
    }

    @Test func `silence in the middle of a body ends a request`() async throws {
        let gate = try ServerGate()
        let head = Array("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello".utf8)
        gate.pass()
        let error = try await fault({ _ in .trickle([head, [0x41]], gate) }) {
            $0.timeout.silence = .milliseconds(150)
        }
        #expect(error.code == .silenceTimeout)
    }

    @Test func `a server that takes no body ends in silence`() async throws {
        let error = try await fault({ _ in .hang }, readsBodies: false) {
            $0.method = .post
            $0.body = .bytes([UInt8](repeating: 0, count: 32 << 20), contentType: nil)
            $0.timeout.silence = .milliseconds(300)
        }
        #expect(error.code == .silenceTimeout)
        #expect(error.mayHaveArrived)
    }

    @Test func `an answer that takes long but never falls silent is no fault`() async throws {
        struct LongEnough: Error {}
        let answer = ServerAnswer.endless(
            head: Array("HTTP/1.1 200 OK\r\n\r\n".utf8),
            repeating: [UInt8](repeating: 0x41, count: 4096))
        try await withLoopbackServer(handler: { _ in answer }) { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.get, server.url)
                request.timeout.silence = .seconds(1)
                let start = ContinuousClock.now
                await #expect(throws: LongEnough.self) {
                    try await client.send(request) { _ in
                        if ContinuousClock.now - start > .seconds(2) { throw LongEnough() }
                    }
                }
            }
        }
    }

    @Test func `the total time counts all hops`() async throws {
        let gate = try ServerGate()
        let error = try await fault({ request in
            request.path == "/end" ? .afterSignal(gate, .text("late")) : .redirect(to: "/end")
        }) { $0.timeout.total = .milliseconds(200) }
        #expect(error.code == .totalTimeout)
        #expect(error.exchanges.map(\.status) == [302])
    }

    @Test func `a connection that never stands is given up`() async throws {
        try await withFullListener { port in
            let error = try await withHTTPClient { client in
                var request = HTTPRequest(.get, "http://127.0.0.1:\(port)/")
                request.timeout.connect = .milliseconds(200)
                return try await #require(throws: HTTPError.self) {
                    try await client.send(request)
                }
            }
            #expect(error.code == .connectTimeout)
            #expect(error.message.contains("within 0.2 s"))
            #expect(!error.mayHaveArrived)
        }
    }

    @Test func `a lack of file descriptors is said`() async {
        await #expect(processExitsWith: .success) {
            let client = HTTPClient()
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            while dup(0) >= 0 {}
            do throws(HTTPError) {
                _ = try await client.send(HTTPRequest(.get, "http://127.0.0.1:1/"))
                exit(1)
            } catch {
                guard error.message.contains("no file descriptors left"), !error.mayHaveArrived
                else { exit(2) }
            }
        }
    }

    @Test(arguments: [200, 413])
    func `a server that does not read all of the request is said to have closed`(
        status: Int
    ) async throws {
        let answer = Array("HTTP/1.1 \(status) X\r\nContent-Length: 2\r\n\r\nno".utf8)
        try await withLoopbackServer(readsBodies: false, handler: { _ in .raw(answer) }) { server in
            try await withHTTPClient { client in
                let body = HTTPBody.bytes([UInt8](repeating: 0, count: 16 << 20), contentType: nil)
                for _ in 0..<20 {
                    do throws(HTTPError) {
                        let response = try await client.send(
                            HTTPRequest(.post, server.url, body: body))
                        #expect(response.status == 413)
                    } catch {
                        #expect(error.code == .closedEarly)
                        #expect(error.message.contains("before it had read"), "\(error.message)")
                        #expect(error.mayHaveArrived)
                    }
                }
            }
        }
    }

    @Test func `an early answer wins over the rest of the body`() async throws {
        let answer = ServerAnswer.respond(status: 413, headers: [("Connection", "close")])
        try await withLoopbackServer(readsBodies: false, handler: { _ in answer }) { server in
            try await withHTTPClient { client in
                let body = HTTPBody.bytes([UInt8](repeating: 0, count: 16 << 20), contentType: nil)
                let response = try await client.send(HTTPRequest(.post, server.url, body: body))
                #expect(response.status == 413)
            }
        }
    }
}
