import MasterHTTP
import MasterTesting
import Testing

/// Descriptor numbers are reused: state kept for a closed one must not affect the next.
struct SocketReuseTests {
    @Test func `a name that is not known delays no other request`() async throws {
        try await withLoopbackServer(handler: { _ in .text("ok") }) { server in
            try await withHTTPClient { client in
                for round in 0..<12 {
                    async let lost = Self.fault(client, "http://nohost\(round).invalid/")
                    var request = HTTPRequest(.get, server.url + "/\(round)")
                    request.headers.add("Connection", "close")
                    request.timeout.silence = .seconds(5)
                    let response = try await client.send(request)
                    #expect(response.status == 200)
                    #expect(response.final.duration < .seconds(4))
                    #expect(await lost == .nameNotFound)
                }
            }
        }
    }

    private static func fault(_ client: HTTPClient, _ url: String) async -> HTTPError.Code? {
        do {
            _ = try await client.send(HTTPRequest(.get, url))
            return nil
        } catch {
            return error.code
        }
    }
}
