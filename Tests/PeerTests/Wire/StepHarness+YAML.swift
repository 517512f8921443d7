import MasterKit
import MasterTesting

extension StepHarness {
    /// Configures a step from YAML and runs it.
    func run<S: Step>(_ step: S.Type, yaml: String) async throws -> Results {
        let output = YAMLParser.parse(yaml, name: "test.yaml")
        guard let root = output.root, !output.hasErrors else {
            throw ConfigurationError(output.diagnostics)
        }
        return try await run(S.configured(root))
    }

    /// Settings preceded by a URL; they may be in braces.
    static func settings(_ url: String, _ rest: String) -> String {
        let address = "url: \(JSONValue.string(url))"
        return rest.hasPrefix("{") ? "{\(address), \(rest.dropFirst())" : "\(address)\n\(rest)"
    }
}
