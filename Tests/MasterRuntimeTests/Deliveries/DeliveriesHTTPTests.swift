import GRDB
import MasterHTTP
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

@Suite(.timeLimit(.minutes(1)))
struct DeliveriesHTTPTests {
    /// A reporter that posts, and retries unless the response is a success.
    private static func posting(to url: String) -> ScriptedReporter {
        ScriptedReporter { report, context in
            guard case .json(let value) = report.body else { return }
            let request = HTTPRequest(
                .post, url, headers: ["webhook-id": context.id],
                body: .json(JSONWriter.compact.bytes(value)))
            let response = try await context.send(request)
            guard (200..<300).contains(response.status) else {
                throw DeliveryError(
                    .retry(after: nil), "HTTP \(response.status): \(response.text.prefix(40))",
                    status: response.status)
            }
        }
    }

    @Test func `reports arrive over a socket with their address and answer kept`() async throws {
        try await withLoopbackServer { server in
            try await DeliveriesBench.with { bench in
                let url = "http://user:pass@127.0.0.1:\(server.port)/status"
                try await bench.running(Self.posting(to: url)) { deliveries in
                    try await bench.happen("start")
                    await deliveries.drain(for: .seconds(10))
                    let summary = try await deliveries.summary().deliveries
                    #expect(summary.map(\.receiver) == ["\(server.url)/status"])
                    #expect(summary.map(\.status) == [200])
                }
                #expect(server.requests.map(\.text) == [#"{"text":"start"}"#])
                #expect(server.requests.first?.header("webhook-id") == "msg_test_1_1_0")
                #expect(try await bench.value("SELECT answer FROM attempt") == "ok\n")
            }
        }
    }

    @Test func `an answer that is no success is kept, cut to 4 KiB`() async throws {
        let text = String(repeating: "no ", count: 4000)
        try await withLoopbackServer { _ in
            .text(text, status: 500)
        } _: { server in
            try await DeliveriesBench.with { bench in
                try await bench.running(Self.posting(to: server.url)) { deliveries in
                    try await bench.happen("start")
                    await deliveries.drain(for: .seconds(4))
                    let summary = try await deliveries.summary().deliveries
                    #expect(summary.map(\.state) == [.open])
                    #expect(summary.map(\.status) == [500])
                    #expect(summary.first?.error?.hasPrefix("HTTP 500: no no") == true)
                }
                #expect(try await bench.value("SELECT length(answer) FROM attempt") == 4096)
            }
        }
    }

    @Test func `when nothing listens the drain is over at once, with the reason`() async throws {
        let port = try await withLoopbackServer { $0.port }
        try await DeliveriesBench.with { bench in
            try await bench.running(Self.posting(to: "http://127.0.0.1:\(port)/")) { deliveries in
                try await bench.happen("start")
                try await bench.happen("end", kind: .buildFinished)
                await deliveries.drain(for: .seconds(4))
                let summary = try await deliveries.summary().deliveries
                #expect(summary.map(\.state) == [.open, .open])
                #expect(summary.first?.error?.contains("\(port)") == true)
                #expect(summary.first?.receiver == "http://127.0.0.1:\(port)/")
            }
        }
    }

    @Test(arguments: [
        ServerAnswer.hang, .closeBeforeAnswer, .reset,
        .closeHalfway(body: Array("0123456789".utf8), after: 3),
    ])
    func `a receiver that misbehaves gets the same report again`(
        answer: ServerAnswer
    ) async throws {
        let failing = Journal<Void>()
        try await withLoopbackServer { _ in
            defer { failing.add(()) }
            return failing.entries.isEmpty ? answer : .text("ok")
        } _: { server in
            try await DeliveriesBench.with { bench in
                try await bench.running(Self.posting(to: server.url)) { deliveries in
                    try await bench.happen("start")
                    await server.waitForRequests(1)
                    await deliveries.drain(for: .zero)
                }
                try await bench.running(Self.posting(to: server.url)) { deliveries in
                    await deliveries.drain(for: .seconds(10))
                }
                let requests = server.requests
                #expect(requests.count == 2)
                #expect(Set(requests.map { $0.header("webhook-id") }).count == 1)
                #expect(Set(requests.map(\.body)).count == 1)
                #expect(try await bench.rows() == ["scripted 1.0 delivered 2"])
            }
        }
    }
}
