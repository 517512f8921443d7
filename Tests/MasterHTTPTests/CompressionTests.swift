import MasterHTTP
import MasterTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct CompressionTests {
    /// The result of Python's `gzip.compress(b"hello hello hello hello\n", mtime=0)`.
    private let gzip: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xCB, 0x48,
        0xCD, 0xC9, 0xC9, 0x57, 0xC8, 0x40, 0x27, 0xB9, 0x00, 0x00, 0x88, 0x59,
        0x0B, 0x18, 0x00, 0x00, 0x00,
    ]
    /// The result of Python's `zlib.compress(b"hello hello hello hello\n")`.
    private let deflate: [UInt8] = [
        0x78, 0x9C, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xC8, 0x40, 0x27, 0xB9,
        0x00, 0x70, 0xBE, 0x08, 0xBB,
    ]

    @Test func `a compressed body is unpacked`() async throws {
        for (name, bytes) in [("gzip", gzip), ("deflate", deflate)] {
            let answer = ServerAnswer.respond(headers: [("Content-Encoding", name)], body: bytes)
            try await withLoopbackServer(handler: { _ in answer }) { server in
                try await withHTTPClient { client in
                    let response = try await client.send(HTTPRequest(.get, server.url))
                    #expect(response.text == "hello hello hello hello\n")
                    #expect(response.headers["Content-Encoding"] == name)
                }
            }
        }
    }

    /// The same text compressed by `brotli`.
    private let br: [UInt8] = [
        0xE2, 0x02, 0x00, 0x80, 0x94, 0x02, 0x48, 0x0E, 0xA2, 0x88, 0x32, 0x75, 0x78, 0x4E, 0x7F,
        0x01,
    ]

    @Test(arguments: ["gzip", "deflate", "br"])
    func `a body that is cut is an error, at every byte`(name: String) async throws {
        let whole = name == "gzip" ? gzip : name == "deflate" ? deflate : br
        try await withLoopbackServer(handler: { request in
            let count = Int(request.path.dropFirst()) ?? 0
            return .respond(
                headers: [("Content-Encoding", name)], body: Array(whole.prefix(count)))
        }) { server in
            try await withHTTPClient { client in
                for count in 1..<whole.count {
                    let error = await #expect(throws: HTTPError.self) {
                        try await client.send(HTTPRequest(.get, "\(server.url)/\(count)"))
                    }
                    #expect(error?.code == .closedEarly, "\(count): \(error?.message ?? "")")
                    #expect(error?.message.contains("is incomplete") == true)
                }
                let text = try await client.send(
                    HTTPRequest(.get, "\(server.url)/\(whole.count)")
                ).text
                #expect(text == "hello hello hello hello\n")
            }
        }
    }

    @Test func `a receiver that is slow gets all of a compressed body`() async throws {
        let zeros = try await Python.bytes(
            "import gzip,sys; sys.stdout.buffer.write(gzip.compress(bytes(20_000_000), 9))")
        let answer = ServerAnswer.respond(headers: [("Content-Encoding", "gzip")], body: zeros)
        try await withLoopbackServer(handler: { _ in answer }) { server in
            try await withHTTPClient { client in
                var (count, largest) = (0, 0)
                _ = try await client.send(HTTPRequest(.get, server.url)) { piece in
                    count += piece.count
                    largest = max(largest, piece.count)
                    await Task.yield()
                }
                #expect(count == 20_000_000)
                #expect(largest <= 256 << 10)
            }
        }
    }

    @Test func `an encoding that was not asked for is named`() async throws {
        let answer = ServerAnswer.respond(
            headers: [("Content-Encoding", "zstd")], body: [1, 2, 3])
        try await withLoopbackServer(handler: { _ in answer }) { server in
            try await withHTTPClient { client in
                let error = await #expect(throws: HTTPError.self) {
                    try await client.send(HTTPRequest(.get, server.url))
                }
                #expect(error?.message.contains("\"zstd\"") == true)
            }
        }
    }

    @Test func `the limit counts unpacked bytes`() async throws {
        let bomb = try await Python.bytes(
            "import gzip,sys; sys.stdout.buffer.write(gzip.compress(bytes(200_000_000), 9))")
        #expect(bomb.count < 250_000)
        let answer = ServerAnswer.respond(headers: [("Content-Encoding", "gzip")], body: bomb)
        try await withLoopbackServer(handler: { _ in answer }) { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.get, server.url)
                request.responseLimit = 1_000_000
                let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
                #expect(error?.code == .tooLarge)
            }
        }
    }

    @Test func `a small compressed body may announce more bytes than it unpacks to`() async throws {
        let answer = ServerAnswer.respond(headers: [("Content-Encoding", "gzip")], body: gzip)
        try await withLoopbackServer(handler: { _ in answer }) { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(.get, server.url)
                request.responseLimit = 24
                let response = try await client.send(request)
                #expect(response.body.count == 24)
                request.responseLimit = 23
                let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
                #expect(error?.code == .tooLarge)
            }
        }
    }
}
