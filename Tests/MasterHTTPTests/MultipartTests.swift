import MasterTesting
import Testing

@testable import MasterHTTP

@Suite(.timeLimit(.minutes(1)))
struct MultipartTests {
    @Test func `fields and files are framed to the byte`() async throws {
        let parts = [
            HTTPPart(name: "k", text: "v"),
            HTTPPart(name: "é", text: "ü"),
            HTTPPart(
                name: "f", content: Array("DATA".utf8), filename: "na\"me é.txt",
                contentType: "text/plain", headers: ["X-A": "b"]),
            HTTPPart(name: "g", content: Array("plain".utf8), filename: "g"),
            HTTPPart(name: "h", content: [0, 1], filename: "x.bin"),
        ]
        try await withLoopbackServer { server in
            try await withHTTPClient { client in
                _ = try await client.send(HTTPRequest(.post, server.url, body: .multipart(parts)))
                let request = try #require(server.requests.first)
                let type = try #require(request.header("Content-Type"))
                #expect(type.hasPrefix("multipart/form-data; boundary="))
                let boundary = String(type.dropFirst("multipart/form-data; boundary=".count))
                #expect(boundary.count == 32)
                let framed = """
                    --B
                    Content-Disposition: form-data; name="k"

                    v
                    --B
                    Content-Disposition: form-data; name="é"

                    ü
                    --B
                    Content-Disposition: form-data; name="f"; filename="na%22me é.txt"
                    Content-Type: text/plain
                    X-A: b

                    DATA
                    --B
                    Content-Disposition: form-data; name="g"; filename="g"

                    plain
                    --B
                    Content-Disposition: form-data; name="h"; filename="x.bin"

                    \u{0}\u{1}
                    --B--

                    """
                let expected = framed.split(separator: "\n", omittingEmptySubsequences: false)
                    .joined(separator: "\r\n")
                #expect(request.text.replacing(boundary, with: "B") == expected)
                #expect(request.header("Content-Length") == "\(request.body.count)")
                #expect(request.body.count == 556)
            }
        }
    }

    @Test func `no part can smuggle a header in`() async throws {
        let name = HTTPPart(name: "a\"\r\nX: y", text: "v")
        let encoded = try MultipartEncoding().encode([name])
        #expect(
            String(decoding: encoded, as: UTF8.self).contains("name=\"a%22%0D%0AX: y\"\r\n\r\nv"))
        let header = HTTPPart(name: "a", content: [], headers: ["X": "a\r\nY: b"])
        #expect(throws: HTTPError.self) { try MultipartEncoding().encode([header]) }
        let type = HTTPPart(name: "a", content: [], contentType: "a\r\nY: b")
        #expect(throws: HTTPError.self) { try MultipartEncoding().encode([type]) }
    }
}
