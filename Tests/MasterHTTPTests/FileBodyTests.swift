import FoundationEssentials
import MasterHTTP
import MasterTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct FileBodyTests {
    @Test(arguments: [0, 1, 100_000, 5_000_000])
    func `a file is sent as it is, and again after a redirect`(size: Int) async throws {
        let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        try await withTemporaryFolder { folder in
            let path = "\(folder)/body.bin"
            try Data(content).write(to: URL(filePath: path))
            let handler: LoopbackServer.Handler = { request in
                request.path == "/end" ? .text("ok") : .redirect(308, to: "/end")
            }
            try await withLoopbackServer(handler: handler) { server in
                try await withHTTPClient { client in
                    let body = HTTPBody.file(path: path, contentType: "application/octet-stream")
                    _ = try await client.send(HTTPRequest(.put, server.url, body: body))
                    for request in server.requests {
                        #expect(request.body == content)
                        #expect(request.header("Content-Length") == "\(size)")
                        #expect(request.header("Content-Type") == "application/octet-stream")
                        #expect(request.header("Expect") == nil)
                    }
                    #expect(server.requests.count == 2)
                }
            }
        }
    }
}
