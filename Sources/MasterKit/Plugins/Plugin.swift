/// A component of a master that is declared in master.yaml and written in Swift.
///
/// Conform to one of the protocols that refine this one, such as ``Step`` or ``Reporter``. The life
/// cycle: `init()`, settings are filled and validated, `check`, `start`, use, `stop`. A configured
/// plugin is immutable and shared by all builds; state of a single build belongs in the calls made
/// for it.
public protocol Plugin: Settings {
    /// The settings that all plugins of the kind share and that the engine reads, defined by the
    /// refining protocol.
    associatedtype Options: Settings = NoOptions

    /// The namespace of the kind, defined by the refining protocol.
    static var namespace: PluginNamespace { get }

    /// The name within the namespace; by default the type's name.
    static var pluginName: String { get }

    /// What the plugin does, in one sentence.
    static var summary: String { get }

    /// The options with the defaults for this type; a new value for each call, since the settings
    /// of the file are read into it.
    static var options: Options { get }

    /// Prepares the plugin for use. Called once, before the first build; if it takes longer than a
    /// minute, it is cancelled and counts as failed.
    func start() async throws

    /// Releases what `start` acquired. Called once at the end, even if `start` failed.
    func stop() async
}

extension Plugin {
    /// The type's name.
    public static var pluginName: String {
        // `String(describing:)` gives the same result, but first looks for a custom description,
        // which costs a search through all conformances of the process for each type.
        _typeName(Self.self, qualified: false)
    }

    /// The key that identifies the plugin in master.yaml.
    public static var key: PluginKey { PluginKey(namespace, pluginName) }

    /// The options with their own defaults.
    public static var options: Options { Options() }

    /// Does nothing.
    public func start() async throws {}

    /// Does nothing.
    public func stop() async {}
}

extension Plugin {
    /// Creates a plugin configured from code, with the same validation as master.yaml.
    ///
    /// ```swift
    /// let step = try POST.configured(["url": "http://h/", "data": ["b": .property("branch")]])
    /// ```
    ///
    /// - Parameters:
    ///   - settings: A mapping of settings, or a single value for the primary one.
    ///   - registry: The plugins that settings can name.
    ///   - scope: What expressions can refer to.
    /// - Returns: The plugin, ready for use.
    /// - Throws: ``ConfigurationError`` with all errors found.
    public static func configured(
        _ settings: SettingLiteral = [:], registry: Registry = .empty, scope: RenderScope = .build
    ) throws(ConfigurationError) -> Self {
        try configured(settings.node, registry: registry, scope: scope)
    }

    /// Creates a plugin configured from a node that was read from a file.
    ///
    /// - Throws: ``ConfigurationError`` with all errors found.
    package static func configured(
        _ node: YAMLNode, registry: Registry = .empty, scope: RenderScope = .build
    ) throws(ConfigurationError) -> Self {
        let decoder = SettingDecoder(registry: registry, scope: scope)
        let (plugin, table) = decoder.create(Self.self)
        if let filled = decoder.fill(table, from: node, owner: "\(key)", at: node.range) {
            decoder.check([plugin], in: table, given: filled.given, at: node.range)
        }
        guard !decoder.hasErrors else { throw ConfigurationError(decoder.diagnostics) }
        return plugin
    }
}

/// The first part of a plugin's key: the kind of plugin, for example `"reporters"`.
///
/// A namespace is a value: a new ``PluginKind`` has its own namespace.
public struct PluginNamespace: RawRepresentable, Sendable, Hashable, ExpressibleByStringLiteral {
    /// The namespace as written before the dot of a key.
    public let rawValue: String

    /// Creates a namespace.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Creates a namespace from a literal.
    public init(stringLiteral value: String) {
        self.init(rawValue: value)
    }
}

extension PluginNamespace: Comparable {
    /// Orders namespaces alphabetically.
    public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
}

/// The identifier of a plugin in master.yaml, for example `reporters.HttpStatusPush`.
public struct PluginKey: Sendable, Hashable {
    /// The kind of plugin.
    public let namespace: PluginNamespace
    /// The name within its namespace.
    public let name: String

    /// Creates a key.
    public init(_ namespace: PluginNamespace, _ name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// Parses a key as written in master.yaml; `nil` if there is no dot.
    package init?(_ text: String) {
        guard let dot = text.firstIndex(of: ".") else { return nil }
        self.init(
            PluginNamespace(rawValue: String(text[..<dot])),
            String(text[text.index(after: dot)...]))
    }
}

extension PluginKey: Comparable, CustomStringConvertible {
    /// The key as written in master.yaml, `namespace.Name`.
    public var description: String { "\(namespace.rawValue).\(name)" }

    /// Orders keys by namespace, then by name.
    public static func < (one: Self, other: Self) -> Bool {
        (one.namespace, one.name) < (other.namespace, other.name)
    }
}
