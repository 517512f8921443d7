import MasterKit
import MasterTesting
import Testing

/// The outcomes of faulty requests, compared with `requests`.
@Suite(.timeLimit(.minutes(2)))
struct OutcomeTests {
    @Test(arguments: RequestCase.outcomes.filter(\.differences.isEmpty))
    func `a request comes out as with requests`(_ testCase: RequestCase) async throws {
        try await withLoopbackServer(handler: testCase.handler) { server in
            let outcome = try await Outcome(testCase, at: server.url)
            #expect(outcome.step == outcome.requests, "\(outcome.words)")
        }
    }

    @Test(arguments: RequestCase.outcomes.filter { !$0.differences.isEmpty })
    func `a request comes out otherwise where the page says so`(
        _ testCase: RequestCase
    ) async throws {
        try await withLoopbackServer(handler: testCase.handler) { server in
            let outcome = try await Outcome(testCase, at: server.url)
            #expect(outcome.step != outcome.requests, "\(outcome.words)")
        }
    }
}

/// Whether each side got a successful response.
private struct Outcome {
    let step: Bool
    let requests: Bool
    /// The messages of both sides, for failing tests.
    let words: String

    init(_ testCase: RequestCase, at server: String) async throws {
        let exchange: Exchange
        do {
            exchange = try await Exchange(testCase, at: server)
        } catch let error as ConfigurationError {
            let answer = try await Exchange.answer(to: testCase, at: server)
            step = false
            requests = answer.status.map { $0 < 400 } ?? false
            words = "\(error), \(answer)"
            return
        }
        step = exchange.results == .success
        requests = exchange.expectedResults == .success
        words = "\(exchange.harness.log("log")?.content ?? ""), \(exchange.answer)"
    }
}
