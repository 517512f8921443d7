import MasterKit
import MasterRuntime
import MasterTesting

/// The outcome of a step and of the same request with `requests`.
struct Exchange {
    let results: Results
    let harness: StepHarness
    let answer: PythonPeer.Answer

    /// Runs both, the step first.
    ///
    /// - Parameters:
    ///   - testCase: The request.
    ///   - server: The URL that replaces `SERVER`.
    ///   - between: Called when the step has finished.
    /// - Throws: An error if the step is not configured or throws, or Python is not available.
    init(_ testCase: RequestCase, at server: String, between: () -> Void = {}) async throws {
        let peer = try await PythonPeer.shared()
        let settings = StepHarness.settings(
            peer.filled(testCase.url, server: server),
            peer.filled(testCase.settings, server: server))
        let http = HTTPClient(
            HTTPClientConfiguration(environment: ["NETRC": PythonEnvironment.netrc]))
        harness = try StepHarness(
            worker: LocalWorker(root: PythonEnvironment.fixtures), http: http)
        results = try await harness.run(testCase.step, yaml: settings)
        between()
        answer = try await Self.answer(to: testCase, at: server)
    }

    /// Sends a request only with `requests`.
    static func answer(
        to testCase: RequestCase, at server: String
    ) async throws -> PythonPeer.Answer {
        let peer = try await PythonPeer.shared()
        return try await peer.request(
            testCase.method, peer.filled(testCase.url, server: server),
            peer.filled(testCase.keywords, server: server))
    }

    /// The result of a step with the same response as `requests`.
    var expectedResults: Results {
        guard let status = answer.status else { return .failure }
        return status < 400 ? .success : .failure
    }

    /// The body of the final response, from the step's log.
    var content: String {
        let log = harness.logs.last { $0.name == "content" }
        return log?.lines.map { $0.dropFirst() }.joined(separator: "\n") ?? ""
    }
}
