public import OrderedCollections

/// Variables that a command gets beside the environment of the worker; null takes one away.
public struct CommandEnvironment: SettingValue, Hashable {
    /// The variables, `nil` for one that is taken away.
    public let variables: OrderedDictionary<String, String?>

    /// Makes an environment.
    public init(_ variables: OrderedDictionary<String, String?> = [:]) {
        self.variables = variables
    }

    /// A mapping.
    public static var shape: String { "a mapping of names to texts" }

    /// Reads a mapping of names to texts; a list is joined with `:` as in `PATH`.
    public static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> CommandEnvironment? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        var variables: OrderedDictionary<String, String?> = [:]
        for entry in mapping.entries {
            guard let name = decoder.decode(String.self, from: entry.key) else { continue }
            if name.isEmpty || name.contains("=") || name.contains("\0") {
                decoder.error("'\(name)' can't name an environment variable", at: entry.key.range)
                continue
            }
            if case .sequence = entry.value.kind {
                guard let parts = decoder.decode([String].self, from: entry.value) else { continue }
                variables[name] = parts.joined(separator: ":")
            } else if let value = decoder.decode(String?.self, from: entry.value) {
                variables[name] = value
            }
        }
        return variables.count == mapping.entries.count ? CommandEnvironment(variables) : nil
    }
}
