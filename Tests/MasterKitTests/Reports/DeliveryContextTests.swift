import MasterKit
import MasterTesting
import Testing

struct DeliveryContextTests {
    /// Posts whatever it gets.
    private struct Plain: Reporter {
        static let summary = "Posts."

        @Setting("Where to.", .primary) var url: Renderable<HTTPAddress>
        @Setting("An id of its own.") var ownID: String?

        func send(_ report: Report, in context: DeliveryContext) async throws {
            var request = HTTPRequest(.post, try context.render(url))
            if let ownID { request.headers.set("Webhook-Id", ownID) }
            let response = try await context.send(request)
            if let error = DeliveryError(answering: response, in: context) { throw error }
        }
    }

    @Test func `each request carries the id of its delivery, unless the reporter sets one`()
        async throws
    {
        try await withLoopbackServer { _ in
            .text("ok")
        } _: { server in
            let harness = try ReporterHarness()
            let report = Report(body: .json(["a": 1]))
            for reporter in [
                try Plain.configured(["url": .string(server.url)]),
                try Plain.configured(["url": .string(server.url), "ownID": "mine"]),
            ] {
                for attempt in 1...2 {
                    try await harness.send(
                        report, through: reporter, id: "msg_x_1_2_0", attempt: attempt)
                }
            }
            #expect(
                server.requests.map { $0.values(of: "webhook-id") }
                    == [["msg_x_1_2_0"], ["msg_x_1_2_0"], ["mine"], ["mine"]])
        }
    }

    @Test func `a refusal is thrown with its verdict`() async throws {
        try await withLoopbackServer { _ in
            .text("no such room", status: 422)
        } _: { server in
            let reporter = try Plain.configured(["url": .string(server.url)])
            let error = await #expect(throws: DeliveryError.self) {
                try await ReporterHarness().send(Report(body: .empty), through: reporter)
            }
            #expect(error?.verdict == .reject)
            #expect(error?.reason.hasSuffix(": no such room") == true)
        }
    }
}
