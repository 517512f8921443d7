/// A part of a master that is declared in master.yaml and written in Swift.
///
/// Conform to one of the protocols that refine this one, such as ``Step`` or ``Reporter``. Its life:
/// `init()`, the settings are filled and checked, `check`, `start`, use, `stop`. A configured
/// plugin is immutable and shared by all builds; what belongs to one build lives in its calls.
public protocol Plugin: Settings {
    /// The settings that all plugins of the kind share and that the engine reads, given by the
    /// refining protocol.
    associatedtype Options: Settings = NoOptions

    /// The namespace of the kind, given by the refining protocol.
    static var namespace: PluginNamespace { get }

    /// The name within the namespace; by default the type's own.
    static var pluginName: String { get }

    /// What the plugin does, in one sentence.
    static var summary: String { get }

    /// The options with the defaults of this type; a new value at each call, since the settings of
    /// the file are read into it.
    static var options: Options { get }

    /// Prepares the plugin for use. Called once, before the first build; one that takes longer than a
    /// minute is cancelled and has failed.
    func start() async throws

    /// Releases what `start` acquired. Called once at the end, also after a `start` that failed.
    func stop() async
}

extension Plugin {
    /// The type's own name.
    public static var pluginName: String {
        // `String(describing:)` gives the same, but looks for a description of its own first: each
        // type then costs a search through all conformances of the process.
        _typeName(Self.self, qualified: false)
    }

    /// The key under which master.yaml finds the plugin.
    public static var key: PluginKey { PluginKey(namespace, pluginName) }

    /// The options with their own defaults.
    public static var options: Options { Options() }

    /// Does nothing.
    public func start() async throws {}

    /// Does nothing.
    public func stop() async {}
}

extension Plugin {
    /// Makes a plugin configured from code, through the same checks as master.yaml.
    ///
    /// ```swift
    /// let step = try POST.configured(["url": "http://h/", "data": ["b": .property("branch")]])
    /// ```
    ///
    /// - Parameters:
    ///   - settings: A mapping of settings, or a lone value for the primary one.
    ///   - registry: The plugins that settings may name.
    ///   - scope: What expressions may refer to.
    /// - Returns: The plugin, ready for use.
    /// - Throws: ``ConfigurationError`` with everything that is wrong.
    public static func configured(
        _ settings: SettingLiteral = [:], registry: Registry = .empty, scope: RenderScope = .build
    ) throws(ConfigurationError) -> Self {
        try configured(settings.node, registry: registry, scope: scope)
    }

    /// Makes a plugin configured from a node that was read from a file.
    ///
    /// - Throws: ``ConfigurationError`` with everything that is wrong.
    package static func configured(
        _ node: YAMLNode, registry: Registry = .empty, scope: RenderScope = .build
    ) throws(ConfigurationError) -> Self {
        let decoder = SettingDecoder(registry: registry, scope: scope)
        let plugin = Self()
        let table = SettingTable(of: [plugin])
        if let filled = decoder.fill(table, from: node, owner: "\(key)", at: node.range) {
            decoder.check([plugin], in: table, given: filled.given, at: node.range)
        }
        guard !decoder.hasErrors else { throw ConfigurationError(decoder.diagnostics) }
        return plugin
    }
}

/// The first half of a plugin's key: which kind of plugin it is, for example `"reporters"`.
///
/// A namespace is a value: a new ``PluginKind`` has a namespace of its own.
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
