/// The first half of a plugin's key: what kind of plugin it is.
public enum PluginNamespace: String, Sendable, Hashable, CaseIterable, Comparable {
    case factories
    case formatters
    case generators
    case reporters
    case secrets
    case steps

    /// Orders namespaces by their spelling.
    public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
}
