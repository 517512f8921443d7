import FoundationEssentials
import MasterKit
import MasterReceiver
import Testing

@testable import MasterCommand

struct RequestPrinterTests {
    private let traits = TerminalTraits(isTerminal: false, environment: ["LANG": "C.UTF-8"])

    private func request(
        _ body: String, type: String? = "application/json; charset=utf-8",
        extent: ReceivedRequest.Extent = .whole
    ) -> ReceivedRequest {
        ReceivedRequest(
            number: 4, receivedAt: Date(timeIntervalSince1970: 0), method: "POST",
            target: "/status", headers: type.map { [.init("Content-Type", $0)] } ?? [],
            body: Array(body.utf8), extent: extent)
    }

    private func compact(_ request: ReceivedRequest, width: Int = 40) -> [String] {
        RequestPrinter(traits, .compact(width: width)).lines(request)
    }

    private func whole(_ request: ReceivedRequest) -> [String] {
        RequestPrinter(traits, .whole).lines(request)
    }

    @Test func `the compact form has a line a key, cut to the width`() {
        let body = #"{"z":1.10,"a":[1,2],"long":{"key":"abcdefghijklmnopqrstuvwxyz"}}"#
        #expect(
            compact(request(body)) == [
                "→ #4 POST /status  application/json  64 B",
                "    {",
                "      \"z\": 1.10,",
                "      \"a\": [1, 2],",
                "      \"long\": {\"key\": \"abcdefghijklmnop…",
                "    }",
            ])
    }

    /// A master that sends to its own receiver gets its secrets back on its terminal.
    @Test(arguments: [
        (#"{"key":"pass\"word=1"}"#, "application/json"),
        (#"key=pass%22word%3D1"#, "application/x-www-form-urlencoded"),
        (#"the key is pass"word=1"#, "text/plain"),
    ])
    func `secrets are hidden in all that is shown`(_ body: String, _ type: String) {
        let mask = SecretMask([(name: "key", value: #"pass"word=1"#)])
        let request = ReceivedRequest(
            number: 4, receivedAt: Date(timeIntervalSince1970: 0), method: "POST",
            target: "/hook/pass%22word%3D1?again=pass%22word%3D1",
            headers: [
                .init("Content-Type", type), .init("Authorization", #"pass"word=1"#),
                .init("webhook-id", #"of pass"word=1"#),
            ], body: Array(body.utf8))
        for form in [RequestPrinter.Form.compact(width: 80), .whole] {
            let text = RequestPrinter(traits, form, hiding: mask).lines(request).joined()
            #expect(!text.contains("word"))
            #expect(text.contains("/hook/<key>?again=<key>"))
            #expect(text.count { $0 == "<" } >= 3)
        }
    }

    @Test func `the compact form shows no more lines than are bearable`() {
        let body = "[" + (1...100).map(String.init).joined(separator: ",") + "]"
        let lines = compact(request(body))
        #expect(lines.count == 1 + RequestPrinter.compactLineLimit)
        #expect(lines.last == "    … 79 more lines")
    }

    @Test func `the whole form keeps order and spelling`() {
        #expect(
            whole(request(#"{"z":1.10,"a":[]}"#)) == [
                "→ #4 POST /status  17 B",
                "  Content-Type: application/json; charset=utf-8",
                "  {", "    \"z\": 1.10,", "    \"a\": []", "  }", "",
            ])
    }

    @Test func `a body that is no JSON is shown as text, and one that is no text as its size`() {
        #expect(whole(request("a=1\nb=\u{1B}[2J")).suffix(3) == ["  a=1", #"  b=\u{1B}[2J"#, ""])
        var bytes = request("")
        bytes = ReceivedRequest(
            number: 1, receivedAt: bytes.receivedAt, method: "PUT", target: "/x",
            body: [0xFF, 0x00, 0x80])
        #expect(whole(bytes).suffix(2) == ["  (3 bytes of binary data)", ""])
    }

    @Test func `a form is not taken for JSON`() {
        let lines = whole(request("12", type: "application/x-www-form-urlencoded"))
        #expect(lines.suffix(2) == ["  12", ""])
    }

    @Test func `what did not arrive in full is said`() {
        #expect(
            compact(request("abc", extent: .cutShort))[0].contains(
                "closed before the end of the body"))
        #expect(compact(request("", extent: .tooLarge))[0].contains("refused: body too large"))
    }

    @Test(arguments: [(0, "no body"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 20, "3.0 MiB")])
    func `sizes are in words`(count: Int, size: String) {
        #expect(RequestBody.size(request(String(repeating: "x", count: count))) == size)
    }

    @Test(arguments: [
        ("http://127.0.0.1:9980/status", "--receiver"),
        ("http://localhost:8000", "--receiver=localhost:8000"),
        ("http://127.0.0.1/x", "--receiver=127.0.0.1:80"),
        ("http://[::1]:81/", "--receiver=[::1]:81"),
        ("https://127.0.0.1:9980/", nil),
        ("http://example.com:9980/", nil),
        (nil, nil),
    ])
    func `a receiver is advised for addresses of this machine`(url: String?, option: String?) {
        #expect(ReceiverSuggestion.address(for: url).map(ReceiverSuggestion.option) == option)
    }
}
