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
        var isRight = true
        for entry in mapping.entries {
            guard let name = name(entry.key, decoder), let value = value(entry.value, decoder)
            else {
                isRight = false
                continue
            }
            if variables.updateValue(value, forKey: name) != nil {
                isRight = false
                decoder.reportDoubledKey(name, at: entry.key.range)
            }
        }
        return isRight ? CommandEnvironment(variables) : nil
    }

    private static func name(_ node: YAMLNode, _ decoder: SettingDecoder) -> String? {
        guard let name = decoder.decode(String.self, from: node) else { return nil }
        guard !name.isEmpty, !name.contains("="), !name.contains("\0") else {
            return decoder.error(
                "'\(name.shortened)' can't name an environment variable", at: node.range)
        }
        return name
    }

    /// Reads the value of a variable, of which there are two kinds of absence.
    private static func value(_ node: YAMLNode, _ decoder: SettingDecoder) -> String?? {
        guard case .sequence = node.kind else {
            return decoder.decode(String?.self, from: node)
        }
        return decoder.decode([String].self, from: node).map { $0.joined(separator: ":") }
    }
}
