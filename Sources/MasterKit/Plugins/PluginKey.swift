/// The name by which master.yaml asks for a plugin, for example `reporters.HttpStatusPush`.
public struct PluginKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// What kind of plugin it is.
    public let namespace: PluginNamespace
    /// The name within its namespace.
    public let name: String

    /// Makes a key.
    public init(_ namespace: PluginNamespace, _ name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// The key as it is written, `namespace.Name`.
    public var description: String { "\(namespace.rawValue).\(name)" }

    /// Orders keys by namespace, then by name.
    public static func < (one: Self, other: Self) -> Bool {
        (one.namespace, one.name) < (other.namespace, other.name)
    }
}
