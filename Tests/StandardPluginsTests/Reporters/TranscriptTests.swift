import MasterKit
import Testing

@testable import StandardPlugins

struct TranscriptTests {
    private func lines(
        sending body: [UInt8], answering answer: [UInt8], hiding secret: String = ""
    ) -> [String] {
        var request = HTTPRequest(.post, "http://user:passw0rd@h/x")
        request.body = .bytes(body, contentType: nil)
        let exchange = HTTPExchange(
            url: "http://h/x", requestHeaders: ["A": "1", "Cookie": "c"], status: 500,
            reason: "Oops", headers: ["Set-Cookie": "d"], body: answer)
        let transcript = Transcript(
            of: request, answered: HTTPResponse(final: exchange),
            hiding: SecretMask([("key", secret)]))
        return transcript.text(elapsed: .milliseconds(12)).split(separator: "\n").map(String.init)
    }

    @Test func `request and answer are told line by line, without credentials`() {
        #expect(
            lines(sending: Array("{}".utf8), answering: Array("a\nb\n".utf8)) == [
                "POST http://h/x answered 500 Oops (12 ms)", "> A: 1", "> Cookie: <HIDDEN>", "> ",
                "> {}", "< Set-Cookie: <HIDDEN>", "< ", "< a", "< b",
            ])
    }

    @Test func `a secret is hidden where lines or the limit would divide it`() {
        let secret = "ab\ncd\nef"
        let body = Array((String(repeating: "x", count: 65_532) + secret).utf8)
        let lines = lines(sending: body, answering: Array("1 \(secret) 2".utf8), hiding: secret)
        #expect(lines.contains { $0.hasSuffix("xx<key") })
        #expect(lines.last == "< 1 <key> 2")
    }

    @Test func `a long body is cut, and its size is told`() {
        let long = [UInt8](repeating: 0x61, count: 100_000)
        let lines = lines(sending: long, answering: [])
        #expect(lines.allSatisfy { $0.utf8.count <= 65_538 })
        #expect(lines.contains("> … (100000 bytes in all)"))
    }
}
