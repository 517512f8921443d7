import Foundation
import MasterHTTP
import MasterTesting
import Testing

struct SpooledBodyTests {
    private static func spool(_ size: Int) async throws -> (SpooledBody, [UInt8]) {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let spool = try SpooledBody()
        for start in stride(from: 0, to: size, by: 100_000) {
            try await spool.append(Array(bytes[start..<min(start + 100_000, size)]))
        }
        return (spool, bytes)
    }

    @Test(arguments: [0, 1, 65536, 3_000_000])
    func `what was put there is sent as it is, and again after a redirect`(size: Int) async throws {
        let (spool, bytes) = try await Self.spool(size)
        let handler: LoopbackServer.Handler = {
            $0.path == "/" ? .redirect(307, to: "/landed") : .text("ok")
        }
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                let request = HTTPRequest(
                    .put, server.url, body: .spooled(spool, contentType: "a/b"))
                let response = try await client.send(request)
                #expect(response.status == 200)
                #expect(server.requests.map(\.path) == ["/", "/landed"])
                for request in server.requests {
                    #expect(request.body == bytes)
                    #expect(request.header("Content-Type") == "a/b")
                    #expect(request.header("Content-Length") == "\(size)")
                }
            }
        }
    }

    @Test func `a digest challenge gets it whole`() async throws {
        let (spool, bytes) = try await Self.spool(300_000)
        let challenge = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\""
        let handler: LoopbackServer.Handler = { request in
            request.header("Authorization") == nil
                ? .respond(status: 401, headers: [("WWW-Authenticate", challenge)])
                : .text("ok")
        }
        try await withLoopbackServer(handler: handler) { server in
            try await withHTTPClient { client in
                var request = HTTPRequest(
                    .post, server.url, body: .spooled(spool, contentType: nil))
                request.authentication = .digest(user: "u", password: "p")
                let response = try await client.send(request)
                #expect(response.status == 200)
                #expect(server.requests.last?.body == bytes)
                #expect(server.requests.last?.header("Content-Type") == nil)
            }
        }
    }

    @Test func `its file has no name that could be left behind`() async throws {
        try await withTemporaryFolder { folder in
            let spool = try SpooledBody(in: [folder])
            try await spool.append([1, 2, 3])
            #expect(spool.byteCount == 3)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }

    @Test func `the first folder that takes it is used, and none is an error`() throws {
        #expect(throws: Never.self) { try SpooledBody(in: ["/no/such/folder", "/tmp"]) }
        let error = #expect(throws: HTTPError.self) {
            try SpooledBody(in: ["/no/such/folder", "/proc"])
        }
        #expect(error?.code == .spoolFailed)
        #expect(error?.message.contains("/no/such/folder or /proc") == true)
        #expect(error?.message.contains("TMPDIR") == true)
    }
}
