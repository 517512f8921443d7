import MasterKit
import MasterTesting
import Synchronization

/// The outcome of a step, and the requests received by a server.
struct StepRun {
    let results: Results
    let harness: StepHarness
    let requests: [ReceivedRequest]
    /// The URL of the server, which has been stopped.
    let server: String

    /// Configures a step from YAML, in which `SERVER` stands for the server's URL, and runs it.
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

    /// A handler that returns the responses in order and then repeats the last one.
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

    /// The content of a log, with `SERVER` in place of the server's URL.
    func log(_ name: String) -> String? {
        harness.log(name)?.content.replacing(server, with: "SERVER")
    }

    struct WrongNumberOfRequests: Error {
        let count: Int
    }
}

extension Plugin {
    /// Configures a plugin from YAML settings.
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
