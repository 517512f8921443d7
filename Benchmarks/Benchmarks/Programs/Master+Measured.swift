import Foundation
import Logging
import MasterKit
import MasterRuntime
import StandardPlugins

extension Master {
    /// Runs a body with a master of a configuration, with the settings that ship.
    static func measured<Value: Sendable>(
        _ yaml: String, _ body: (Master) async throws -> Value
    ) async throws -> Value {
        let scratch = try Scratch()
        let loaded = MasterConfiguration.load(
            path: try scratch.write(yaml, to: "master.yaml"),
            registry: try Registry(standardPlugins, PluginBundle(Mark.self)), environment: [:])
        guard let configuration = loaded.configuration else {
            throw ConfigurationError(loaded.diagnostics)
        }
        return try await Master.run(
            configuration, SecretValues([:]),
            options: Options(basedir: "\(scratch.path)/state"),
            logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }, body)
    }

    /// Builds once, and waits for the end.
    ///
    /// - Throws: When the build does not succeed.
    func buildOnce() async throws {
        let submission = try await submit(BuildsetRequest(reason: "benchmark"))
        let builds = try await wait(for: submission)
        guard builds.allSatisfy({ $0.build.results == .success }) else {
            throw Program.Failure(description: "a build failed: \(builds.map(\.build.stateString))")
        }
    }
}

/// A step that does nothing but note the time.
struct Mark: Step {
    static let summary = "Notes the time."

    func run(in context: StepContext) async throws -> Results {
        Marks.shared.add(Moment.now())
        return .success
    }
}
