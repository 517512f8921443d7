import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// The effects of responses on a report.
@Suite(.timeLimit(.minutes(1)))
struct AnswerTests {
    private static let table: [(statuses: [Int], state: DeliveryState, requests: Int)] = [
        ([200, 201, 204, 299], .delivered, 2),
        ([400, 405, 413, 415, 422], .dead, 2),
        ([410], .open, 1),
        ([301, 302, 307, 401, 403, 404, 408, 425, 429, 500, 502, 503, 504, 599], .open, 1),
    ]

    @Test(arguments: table.flatMap { row in row.statuses.map { ($0, row.state, row.requests) } })
    func `an answer decides what becomes of a report`(
        status: Int, state: DeliveryState, requests: Int
    ) async throws {
        try await withLoopbackServer { _ in
            .respond(status: status, headers: [("Retry-After", "60")])
        } _: { server in
            let yaml = "services: [reporters.HttpStatusPush: \(server.url)]\nsteps: []\n"
            try await MasterBench.with(yaml) { bench in
                let summary = try await bench.run { master in
                    _ = try await master.build()
                    return try await master.drain(for: .seconds(4))
                }
                #expect(summary.deliveries.map(\.state) == [state, state])
                #expect(summary.deliveries.first?.status == status)
                #expect(summary.closedReporters.count == (status == 410 ? 1 : 0))
                #expect(summary.deadCount == (state == .dead ? 2 : 0))
                #expect(server.requests.count == requests)
            }
        }
    }

    @Test func `the file limits how often a report is tried`() async throws {
        try await withLoopbackServer { _ in
            .text("no", status: 503)
        } _: { server in
            let yaml = """
                services:
                  - reporters.HttpStatusPush:
                      serverUrl: \(server.url)
                      retry: {attempts: 3, backoff: 1ms}
                      inFlight: 1
                steps: []
                """
            try await MasterBench.with(yaml) { bench in
                let summary = try await bench.run { master in
                    _ = try await master.build()
                    return try await master.drain(for: .seconds(30), isPatient: true)
                }
                #expect(summary.deliveries.map(\.state) == [.dead, .dead])
                #expect(summary.deliveries.map(\.attempts) == [3, 3])
                let reason = "given up after 3 tries: the receiver answered 503"
                #expect(summary.deliveries.allSatisfy { $0.error?.hasPrefix(reason) == true })
                #expect(server.requests.count == 6)
            }
        }
    }
}
