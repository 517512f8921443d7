/// The plugins known to a master: an immutable list, sorted by key.
///
/// A registry is a value; there is no global one, and tests build their own.
public struct Registry: Sendable {
    /// One known plugin.
    package struct Entry: Sendable {
        /// The key that identifies it in master.yaml.
        package let key: PluginKey
        /// The plugin's type.
        package let type: any Plugin.Type
        /// The module that contains it.
        package let origin: String
    }

    /// An error: two plugins have the same key.
    public struct DuplicateKey: Error, CustomStringConvertible {
        /// The key.
        package let key: PluginKey
        /// The modules with that key.
        package let origins: [String]

        /// What is wrong and how to fix it.
        public var description: String {
            "the plugin key \(key) is claimed twice, by \(origins.joined(separator: " and by ")); "
                + "give one of them another pluginName"
        }
    }

    /// All plugins, sorted by key.
    package let entries: [Entry]
    /// Whether plugins are missing that a file names a package for, so that an unknown key need not
    /// be a mistake.
    package private(set) var isIncomplete = false
    private let byKey: [PluginKey: Int]

    /// Creates a registry from bundles.
    ///
    /// - Throws: ``DuplicateKey`` if two plugins have the same key.
    public init(_ bundles: PluginBundle...) throws(DuplicateKey) {
        try self.init(bundles)
    }

    /// Creates a registry from an array of bundles.
    ///
    /// - Throws: ``DuplicateKey`` if two plugins have the same key.
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

    /// Adds the plugins of a library; of a key that is known already, the known plugin stays.
    ///
    /// - Returns: The known plugins whose keys the library has, too.
    package mutating func add(_ bundle: PluginBundle, from origin: String) -> [Entry] {
        var known: [Entry] = []
        var added = Dictionary(entries.map { ($0.key, $0) }, uniquingKeysWith: { one, _ in one })
        for type in bundle.plugins {
            let entry = Entry(key: type.key, type: type, origin: origin)
            if let first = added[entry.key] {
                known.append(first)
            } else {
                added[entry.key] = entry
            }
        }
        let isIncomplete = isIncomplete
        self = Registry(sorted: added.values.sorted { $0.key < $1.key })
        self.isIncomplete = isIncomplete
        return known
    }

    /// Notes that plugins are missing.
    package mutating func markIncomplete() { isIncomplete = true }

    /// The plugin with a key.
    package subscript(key: PluginKey) -> Entry? {
        byKey[key].map { entries[$0] }
    }

    /// The plugin with a key as written in master.yaml.
    package subscript(text: String) -> Entry? {
        PluginKey(text).flatMap { self[$0] }
    }

    /// The plugins of one kind, sorted by name.
    package func entries(in namespace: PluginNamespace) -> [Entry] {
        entries.filter { $0.key.namespace == namespace }
    }
}

/// A list of plugin types from one module, for use in a ``Registry``.
public struct PluginBundle: Sendable {
    /// Where the plugins come from, shown if two plugins have the same key.
    package let origin: String
    /// The plugin types.
    package let plugins: [any Plugin.Type]

    /// Creates a bundle.
    ///
    /// - Parameters:
    ///   - plugins: The plugin types.
    ///   - origin: Where they come from; by default the module that creates the bundle.
    public init(_ plugins: any Plugin.Type..., origin: String = #fileID) {
        self.init(plugins, origin: origin)
    }

    /// Creates a bundle from an array of plugin types.
    public init(_ plugins: [any Plugin.Type], origin: String = #fileID) {
        self.plugins = plugins
        self.origin = origin.hasSuffix(".swift") ? String(origin.prefix { $0 != "/" }) : origin
    }
}
