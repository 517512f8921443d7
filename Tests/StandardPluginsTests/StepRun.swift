import MasterKit
import MasterTesting
import Synchronization

/// What a step did, and what a server got from it.
struct StepRun {
    let results: Results
    let harness: StepHarness
    let requests: [ReceivedRequest]
    /// The address of the server that has ended by now.
    let server: String

    /// Configures a step from YAML, in which `SERVER` is the server's address, and runs it.
    static func of<S: Step>(
        _ type: S.Type, _ yaml: String, properties: JSONObject = [:],
        secrets: [String: String] = [:], worker: (any Worker)? = nil, workdir: String = "/",
        clock: any Clock<Duration> = ContinuousClock(),
        answering handler: @escaping LoopbackServer.Handler = { _ in .text("ok\n") }
    ) async throws -> StepRun {
        try await withLoopbackServer(handler: handler) { server in
            let text = yaml.replacing("SERVER", with: server.url)
            let step = try S.configured(yaml: text)
            let harness = try StepHarness(
                properties: properties, secrets: secrets, worker: worker, workdir: workdir,
                clock: clock)
            let results = try await harness.run(step)
            return StepRun(
                results: results, harness: harness, requests: server.requests, server: server.url)
        }
    }

    /// What a server does that answers one request after the other, the last answer again and
    /// again.
    static func series(_ answers: [ServerAnswer]) -> LoopbackServer.Handler {
        let rest = Mutex(answers)
        return { _ in rest.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] } }
    }

    /// The only request.
    var request: ReceivedRequest {
        get throws {
            guard let request = requests.first, requests.count == 1 else {
                throw WrongNumberOfRequests(count: requests.count)
            }
            return request
        }
    }

    /// The content of a log, with the server's address taken out.
    func log(_ name: String) -> String? {
        harness.log(name)?.content.replacing(server, with: "SERVER")
    }

    struct WrongNumberOfRequests: Error {
        let count: Int
    }
}

extension Plugin {
    /// Configures a plugin from its settings as they stand in a file.
    static func configured(
        yaml: String, registry: Registry = .empty, scope: RenderScope = .build
    ) throws -> Self {
        let output = YAMLParser.parse(yaml, name: "test.yaml")
        guard let root = output.root, !output.hasErrors else {
            throw ConfigurationError(output.diagnostics)
        }
        return try configured(root, registry: registry, scope: scope)
    }
}
