/// The plugins that a master knows: a frozen list, sorted by key.
///
/// A registry is a value; there is no global one, and tests build their own.
public struct Registry: Sendable {
    /// One known plugin.
    public struct Entry: Sendable {
        /// The key under which master.yaml finds it.
        public let key: PluginKey
        /// The type itself.
        public let type: any Plugin.Type
        /// The module it comes from.
        public let origin: String
    }

    /// A key that two plugins claim.
    public struct DuplicateKey: Error, CustomStringConvertible {
        /// The key.
        public let key: PluginKey
        /// The modules that claim it.
        public let origins: [String]

        /// What is wrong and how to remedy it.
        public var description: String {
            "the plugin key \(key) is claimed twice, by \(origins.joined(separator: " and by ")); "
                + "give one of them another pluginName"
        }
    }

    /// All plugins, sorted by key.
    public let entries: [Entry]
    private let byKey: [PluginKey: Int]

    /// Makes a registry of bundles.
    ///
    /// - Throws: ``DuplicateKey`` when two plugins have the same key.
    public init(_ bundles: PluginBundle...) throws(DuplicateKey) {
        try self.init(bundles)
    }

    /// Makes a registry of an array of bundles.
    ///
    /// - Throws: ``DuplicateKey`` when two plugins have the same key.
    public init(_ bundles: [PluginBundle]) throws(DuplicateKey) {
        let sorted = bundles.flatMap { bundle in
            bundle.plugins.map { Entry(key: $0.key, type: $0, origin: bundle.origin) }
        }.sorted { $0.key < $1.key }
        for (one, next) in zip(sorted, sorted.dropFirst()) where one.key == next.key {
            throw DuplicateKey(key: one.key, origins: [one.origin, next.origin])
        }
        self.init(sorted: sorted)
    }

    init(sorted entries: [Entry]) {
        self.entries = entries
        self.byKey = Dictionary(
            entries.enumerated().map { ($0.element.key, $0.offset) },
            uniquingKeysWith: { one, _ in one })
    }

    /// Finds a plugin by its key.
    public subscript(key: PluginKey) -> Entry? {
        byKey[key].map { entries[$0] }
    }

    /// Finds a plugin by its key as it is written in master.yaml.
    public subscript(text: String) -> Entry? {
        guard let dot = text.firstIndex(of: "."),
            let namespace = PluginNamespace(rawValue: String(text[..<dot]))
        else { return nil }
        return self[PluginKey(namespace, String(text[text.index(after: dot)...]))]
    }

    /// The plugins of one kind, sorted by name.
    public func entries(in namespace: PluginNamespace) -> [Entry] {
        entries.filter { $0.key.namespace == namespace }
    }
}
