import Foundation
import Logging
import MasterKit
import MasterRuntime
import StandardPlugins

extension Master {
    /// Runs a closure with a master of a configuration, using the default settings.
    static func measured<Value: Sendable>(
        _ yaml: String, in scratch: Scratch? = nil, _ body: (Master) async throws -> Value
    ) async throws -> Value {
        try await measuredStart(yaml, in: scratch) { master, _ in try await body(master) }
    }

    /// Runs a closure with a master and its startup time in seconds, which excludes loading the
    /// file.
    static func measuredStart<Value: Sendable>(
        _ yaml: String, in scratch: Scratch? = nil, _ body: (Master, Double) async throws -> Value
    ) async throws -> Value {
        let scratch = if let scratch { scratch } else { try Scratch() }
        let loaded = MasterConfiguration.load(
            path: try scratch.write(yaml, to: "master.yaml"),
            registry: try Registry(standardPlugins, PluginBundle(Mark.self)), environment: [:])
        guard let configuration = loaded.configuration else {
            throw ConfigurationError(loaded.diagnostics)
        }
        let start = Moment.now()
        return try await Master.run(
            configuration, SecretValues([:]),
            options: Options(basedir: "\(scratch.path)/state"),
            logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
        ) { master in try await body(master, Double(Moment.now() - start) / 1e9) }
    }

    /// Runs one build and waits for it to finish.
    ///
    /// - Throws: An error if the build does not succeed.
    func buildOnce(_ builders: [String]? = nil) async throws {
        let submission = try await submit(BuildsetRequest(builders: builders, reason: "benchmark"))
        let builds = try await wait(for: submission)
        guard builds.allSatisfy({ $0.build.results == .success }) else {
            throw Program.Failure(description: "a build failed: \(builds.map(\.build.stateString))")
        }
    }

    /// Runs `count` builds, requested by several tasks concurrently, cycling through the builders.
    func build(_ count: Int, of builders: [String]? = nil) async throws {
        try await withThrowingTaskGroup { group in
            for asker in 0..<Self.askers {
                group.addTask {
                    for number in stride(from: asker, to: count, by: Self.askers) {
                        try await self.buildOnce(builders.map { [$0[number % $0.count]] })
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private static let askers = 16
}

/// A step that only records the time.
struct Mark: Step {
    static let summary = "Notes the time."

    func run(in context: StepContext) async throws -> Results {
        Marks.shared.add(Moment.now())
        return .success
    }
}
