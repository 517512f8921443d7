import FoundationEssentials
import MasterKit
import MasterTesting
import Subprocess
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ReceiveCommandTests {
    /// Runs `receive` on a free port, sends one request, and stops it with a signal.
    private func receive(
        _ options: [String] = [], _ request: @Sendable (String) -> HTTPRequest,
        signal: Signal = .interrupt
    ) async throws -> (ended: Program.Ended, response: HTTPResponse) {
        var response: HTTPResponse?
        let ended = try await Program.inFolder { program in
            try await program.run(["receive", ":0"] + options) { running in
                await running.transcript.wait(for: "press Ctrl-C to stop")
                let first = running.transcript.text.split(separator: "\n")[0]
                let url = try #require(first.split(separator: " ").first { $0.hasPrefix("http") })
                response = try await withHTTPClient { client in
                    try await client.send(request(String(url)), in: client.makeSession())
                }
                try running.send(signal)
            }
        }
        return (ended, try #require(response))
    }

    @Test func `a request is shown with its relevant headers and its body in full`() async throws {
        let (ended, response) = try await receive { url in
            var request = HTTPRequest(.post, url + "status?a=1")
            request.headers = [
                "Content-Type": "application/json", "Authorization": "Bearer abcdef",
                "Webhook-Id": "msg_1", "X-Other": "unseen",
            ]
            request.body = .text(#"{"z": 1.10, "a": [true, null]}"#)
            return request
        }
        #expect(response.status == 200)
        #expect(ended.status == 130)
        let shown = ended.output.split(separator: "\n").map(String.init)
        #expect(shown.contains("→ #1 POST /status?a=1  30 B"))
        #expect(shown.contains("  Content-Type: application/json"))
        #expect(shown.contains("  Authorization: Bearer (hidden)"))
        #expect(shown.contains("  Webhook-Id: msg_1"))
        #expect(!ended.output.contains("unseen"))
        #expect(!ended.output.contains("abcdef"))
        #expect(
            ended.output.contains(
                "  {\n    \"z\": 1.10,\n    \"a\": [\n      true,\n      null\n    ]\n  }\n"))
    }

    @Test func `a port that is taken is one sentence with a remedy`() async throws {
        let server = try LoopbackServer { _ in .respond() }
        let ended = try await Program.inFolder { try await $0.run("receive", "\(server.port)") }
        #expect(ended.status == 1)
        #expect(ended.output == "")
        #expect(
            ended.error
                == "error: the receiver cannot listen on 127.0.0.1:\(server.port): the port is "
                + "in use; stop the other program, or choose another port (0 for any free one)\n")
    }

    @Test func `it can play a bad receiver`() async throws {
        let (ended, response) = try await receive(
            ["--status", "503", "--delay", "100ms"], { HTTPRequest(.get, $0) },
            signal: .terminate)
        #expect(response.status == 503)
        #expect(ended.status == 143)
    }
}
