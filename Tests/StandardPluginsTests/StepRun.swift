import Foundation
import MasterKit
import MasterRuntime
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

/// A master's folder with one for builds in it, in which steps work on real files.
struct StepFolder {
    /// The folder of the configuration.
    let path: String
    /// The folder of builds, outside of which nothing is removed.
    var root: String { path + "/work" }
    /// The folder of the step.
    var workdir: String { root + "/build" }

    static func with<Value>(_ body: (StepFolder) async throws -> Value) async throws -> Value {
        let folder = StepFolder(path: "/tmp/step-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            atPath: folder.workdir, withIntermediateDirectories: true)
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body(folder))
        } catch {
            outcome = .failure(error)
        }
        try FileManager.default.removeItem(atPath: folder.path)
        return try outcome.get()
    }

    /// Runs a step in the folder, in whose settings `FOLDER` is its path.
    func run<S: Step>(
        _ type: S.Type, _ yaml: String, properties: JSONObject = [:],
        secrets: [String: String] = [:], in workdir: String? = nil
    ) async throws -> (results: Results, harness: StepHarness) {
        let step = try S.configured(yaml: yaml.replacing("FOLDER", with: path))
        let harness = try StepHarness(
            properties: properties, secrets: secrets, worker: LocalWorker(root: root),
            workdir: workdir ?? self.workdir, masterFolder: path)
        return (try await harness.run(step), harness)
    }

    func write(_ text: String, to name: String) throws {
        let place = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: place)
    }

    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: "\(path)/\(name)")), as: UTF8.self)
    }

    func has(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(path)/\(name)")
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: "\(path)/\(name)", withDestinationPath: target)
    }

    func names(in name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(name)").sorted()
    }

    /// The permission bits of a file.
    func permissions(of name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }

    /// When a file last changed, in seconds since 1970.
    func modified(_ name: String) throws -> Double {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
        return (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
    }
}
