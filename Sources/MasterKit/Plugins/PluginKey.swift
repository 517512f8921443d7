/// The first half of a plugin's key: which kind of plugin it is, for example `"reporters"`.
///
/// A namespace is a value: whoever declares a ``PluginKind`` of their own gives it a new one.
public struct PluginNamespace: RawRepresentable, Sendable, Hashable, ExpressibleByStringLiteral {
    /// The namespace as it stands before the dot of a key.
    public let rawValue: String

    /// Makes a namespace.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Makes a namespace of a literal.
    public init(stringLiteral value: String) {
        self.init(rawValue: value)
    }
}

extension PluginNamespace: Comparable {
    /// Orders namespaces by their spelling.
    public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
}

/// The name by which master.yaml asks for a plugin, for example `reporters.HttpStatusPush`.
public struct PluginKey: Sendable, Hashable {
    /// What kind of plugin it is.
    public let namespace: PluginNamespace
    /// The name within its namespace.
    public let name: String

    /// Makes a key.
    public init(_ namespace: PluginNamespace, _ name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// Reads a key as it stands in master.yaml; `nil` without a dot.
    package init?(_ text: String) {
        guard let dot = text.firstIndex(of: ".") else { return nil }
        self.init(
            PluginNamespace(rawValue: String(text[..<dot])),
            String(text[text.index(after: dot)...]))
    }
}

extension PluginKey: Comparable, CustomStringConvertible {
    /// The key as it stands in master.yaml, `namespace.Name`.
    public var description: String { "\(namespace.rawValue).\(name)" }

    /// Orders keys by namespace, then by name.
    public static func < (one: Self, other: Self) -> Bool {
        (one.namespace, one.name) < (other.namespace, other.name)
    }
}
