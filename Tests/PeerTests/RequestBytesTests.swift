import MasterTesting
import Testing

/// The exact bytes sent, compared with those of `requests`.
@Suite(.timeLimit(.minutes(2)))
struct RequestBytesTests {
    @Test(arguments: RequestCase.all)
    func `a step sends the bytes that requests sends`(_ testCase: RequestCase) async throws {
        try await withLoopbackServer(handler: testCase.handler) { server in
            var count = 0
            let exchange = try await Exchange(testCase, at: server.url) {
                count = server.requests.count
            }
            try #require(exchange.answer.error == nil, "\(exchange.answer)")
            let all = server.requests.map { WireRequest($0) }
            try #require(
                count > 0 && all.count > count, "\(exchange.harness.log("log")?.content ?? "")")
            let (ours, theirs) = (Array(all[..<count]), Array(all[count...]))

            let differences = Difference.everywhere + testCase.differences
            #expect(ours.levelled(differences) == theirs.levelled(differences))
            for (index, difference) in testCase.differences.enumerated() {
                var others = differences
                others.remove(at: Difference.everywhere.count + index)
                #expect(
                    ours.levelled(others) != theirs.levelled(others),
                    "the case names '\(difference.title)', and does not need it")
            }
        }
    }
}

extension [WireRequest] {
    /// Removes differences from the requests.
    fileprivate func levelled(_ differences: [Difference]) -> [WireRequest] {
        map { $0.levelled(differences) }
    }
}
