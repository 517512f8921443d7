import MasterKit
import MasterTesting
import Testing

/// What `httpbin` receives and returns, compared with `requests`.
@Suite(.timeLimit(.minutes(2)))
struct HttpbinTests {
    /// The requests that are the same on both sides and accepted by the mirror.
    private static let mirrored = RequestCase.all.filter {
        $0.differences.isEmpty && $0.url.hasPrefix("SERVER/anything") && $0.answer == nil
    }

    @Test(arguments: mirrored)
    func `the mirror shows the same`(_ testCase: RequestCase) async throws {
        let peer = try await PythonPeer.shared()
        let server = try #require(peer.servers["httpbin"])
        let exchange = try await Exchange(testCase, at: server)

        #expect(exchange.results == .success)
        #expect(exchange.answer.status == 200)
        let content = exchange.content
        #expect(MirroredRequest(content) == MirroredRequest(exchange.answer.text))
        #expect(content.isEmpty == (testCase.method == "HEAD"))
    }

    @Test(arguments: RequestCase.endpoints)
    func `each endpoint does the same`(_ testCase: RequestCase) async throws {
        let exchange = try await Exchange(testCase, at: "")
        let answer = exchange.answer

        #expect(exchange.results == exchange.expectedResults)
        guard let status = answer.status else { return }
        #expect(exchange.harness.summary == "Status code: \(status)")
        let contents = exchange.harness.logs.filter { $0.name == "content" }
        let isTold = !testCase.differences.contains { $0.title == Difference.digestChallenge.title }
        #expect(contents.count == (isTold ? answer.hops.count + 1 : 1))
        #expect(MirroredRequest(exchange.content) == MirroredRequest(answer.text))
    }
}
