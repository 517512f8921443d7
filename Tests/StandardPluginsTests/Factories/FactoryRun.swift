import FoundationEssentials
import Logging
import MasterKit
import MasterRuntime
import StandardPlugins
import Testing

/// A configuration whose only builder, `sample`, has a ready-made factory.
struct FactoryRun {
    let configuration: MasterConfiguration

    private static func text(_ factory: String, _ properties: String) -> String {
        "builders: [{name: sample, properties: \(properties), factory: \(factory)}]"
    }

    private static func withFile<Value>(
        _ text: String, _ files: [String: String] = [:],
        _ body: (MasterConfiguration.Loaded, String) async throws -> Value
    ) async throws -> Value {
        let folder = "/tmp/factory-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        for (name, text) in files.merging(
            ["master.yaml": text], uniquingKeysWith: { one, _ in one })
        {
            let file = URL(filePath: "\(folder)/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let loaded = MasterConfiguration.load(
            path: "\(folder)/master.yaml", registry: .standard, environment: [:])
        return try await body(loaded, folder)
    }

    /// Loads a configuration.
    static func load(_ factory: String, properties: String = "{}") async throws -> FactoryRun {
        try await withFile(text(factory, properties)) { loaded, _ in
            FactoryRun(configuration: try #require(loaded.configuration, "\(loaded.diagnostics)"))
        }
    }

    /// The commands of its steps, as far as they are known before a build.
    func commands() throws -> [String] {
        let preview = BuildPreview(
            of: configuration.builders[0], in: configuration, BuildsetRequest(reason: "test"),
            basedir: "/tmp/none", environment: [:])
        return try preview.steps.map { step in
            let words = try #require(step.settings["command"]?.arrayValue)
            return words.compactMap(\.stringValue).joined(separator: " ")
        }
    }

    /// The messages about a configuration.
    static func mistakes(_ factory: String) async throws -> [String] {
        try await withFile(text(factory, "{}")) { loaded, _ in
            #expect(loaded.diagnostics.allSatisfy { $0.range != nil })
            return loaded.diagnostics.map(\.message)
        }
    }

    /// Builds a project; returns the name and state of each step.
    static func run(
        _ factory: String, properties: String = "{}", more: String = "",
        files: [String: String] = [:]
    ) async throws -> [String] {
        try await withFile(text(factory, properties) + "\n" + more, files) { loaded, folder in
            let configuration = try #require(loaded.configuration, "\(loaded.diagnostics)")
            let builds = try await Master.run(
                configuration, SecretFetcher(configuration).fetch().usable(),
                options: Master.Options(basedir: "\(folder)/base", slots: 1),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ) { master in
                try await master.wait(for: master.submit(BuildsetRequest(reason: "test")))
            }
            return builds.flatMap(\.steps).map { "\($0.name): \($0.stateString)" }
        }
    }
}
