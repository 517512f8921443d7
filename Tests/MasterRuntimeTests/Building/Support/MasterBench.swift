import FoundationEssentials
import Logging
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

/// A folder with a master.yaml, a base folder, and scripts for the steps.
struct MasterBench: Sendable {
    let id = UUID().uuidString
    let messages = RecordedMessages()
    private let plugins: [any Plugin.Type]
    private let environment: [String: String]

    var folder: String { "/tmp/master-test-\(id)" }
    var basedir: String { folder + "/.buildmaster" }
    var path: String { folder + "/master.yaml" }

    /// Runs a test with a master.yaml in which `$name` stands for a script.
    static func with<Value>(
        _ yaml: String, scripts: [String: Scripts.Script] = [:], plugins: [any Plugin.Type] = [],
        listener: @escaping Scripts.Listener = { _ in }, environment: [String: String] = [:],
        _ body: (MasterBench) async throws -> Value
    ) async throws -> Value {
        let bench = MasterBench(plugins: plugins, environment: environment)
        for (name, script) in scripts {
            Scripts.all.add(script, named: "\(bench.id)-\(name)")
        }
        Scripts.all.add(listener, named: "\(bench.id)-listener")
        defer { Scripts.all.remove(beginningWith: bench.id) }
        try FileManager.default.createDirectory(
            atPath: bench.folder, withIntermediateDirectories: true)
        try bench.write(yaml)
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body(bench))
        } catch {
            outcome = .failure(error)
        }
        try FileManager.default.removeItem(atPath: bench.folder)
        return try outcome.get()
    }

    /// Replaces the master.yaml.
    func write(_ yaml: String) throws {
        try write(yaml.replacing("$", with: "\(id)-"), to: "master.yaml")
    }

    /// Writes a file below the folder.
    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
    }

    /// Reads a file.
    func read(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }

    /// The paths of the files in a folder.
    func files(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }
    }

    /// The paths of all files below a folder.
    func filesBelow(_ folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }
            .filter { path in
                var isFolder = false
                return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
                    && !isFolder
            }
    }

    /// Reads the bytes of a file.
    func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: path)))
    }

    // MARK: Running

    func load() throws -> MasterConfiguration.Loaded {
        let own = PluginBundle([Play.self, Give.self] + plugins)
        return MasterConfiguration.load(
            path: path, registry: try Registry(standardPlugins, own), environment: environment)
    }

    func configuration() throws -> MasterConfiguration {
        let loaded = try load()
        return try #require(loaded.configuration, "\(loaded.diagnostics)")
    }

    /// Runs a master.
    func run<Value: Sendable>(
        slots: Int = 2, resumes: Bool = false, basedir: String? = nil,
        time: any WallClock = SystemWallClock(), servers: [any MasterServer] = [],
        _ body: (Master) async throws -> Value
    ) async throws -> Value {
        let messages = messages
        let configuration = try configuration()
        var options = Master.Options(
            basedir: basedir ?? self.basedir, slots: slots, resumesRequests: resumes)
        options.time = time
        options.servers = servers
        return try await Master.run(
            configuration, SecretFetcher(configuration).fetch().usable(), options: options,
            logger: Logger(label: "master") { _ in messages.handler }, body)
    }

    /// Replaces the master.yaml, and applies it to a running master.
    @discardableResult
    func reconfigure(_ master: Master, _ yaml: String) async throws -> ConfigurationChanges {
        try write(yaml)
        let configuration = try configuration()
        return try await master.reconfigure(
            to: configuration, SecretFetcher(configuration).fetch().usable())
    }

    /// Runs a master that builds the builders.
    func build(
        _ builders: [String]? = nil, properties: JSONObject = [:], slots: Int = 2
    ) async throws -> [FinishedBuild] {
        try await run(slots: slots) { try await $0.build(builders, properties: properties) }
    }

    /// Runs a master that builds one build.
    func buildOne(properties: JSONObject = [:]) async throws -> FinishedBuild {
        let builds = try await build(properties: properties)
        #expect(builds.count == 1)
        return try #require(builds.first)
    }

    /// Runs a master that builds one buildset, and collects the events.
    func events(of kinds: Set<EventKind> = Set(EventKind.allCases)) async throws -> [Event] {
        try await run { master in
            try await master.events.withSubscription(
                to: kinds.union([.buildsetFinished]), bound: 10_000
            ) { subscription in
                _ = try await master.build()
                var events: [Event] = []
                for await case .event(let event) in subscription {
                    events.append(event)
                    if event.kind == .buildsetFinished { break }
                }
                return events
            }
        }
    }

    // MARK: Results

    /// The content of a log of a step.
    func log(_ name: String, of build: FinishedBuild, step: Int = 1) throws -> String {
        let path = try #require(
            build.logs[step]?.first { $0.hasSuffix("-\(name).log") },
            "\(build.logs[step] ?? [])")
        return try read(path)
    }
}

extension Master {
    /// Submits a buildset and waits for its end.
    func build(
        _ builders: [String]? = nil, properties: JSONObject = [:]
    ) async throws -> [FinishedBuild] {
        let request = BuildsetRequest(
            builders: builders, reason: "test",
            properties: Properties(properties, source: "command line"))
        return try await wait(for: try await submit(request))
    }
}

extension FinishedBuild {
    /// The result and state of the build, followed by those of each step.
    var outline: [String] {
        ["\(Results.text(build.results)): \(build.stateString)"]
            + steps.map { "\($0.name): \($0.stateString)" }
    }
}
