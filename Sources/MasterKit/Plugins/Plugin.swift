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
        try readingSecrets(of: node, registry: registry, scope: scope).plugin
    }

    /// Creates a plugin configured from a node, and returns the names of the secrets in it as well.
    ///
    /// - Throws: ``ConfigurationError`` with all errors found.
    package static func readingSecrets(
        of node: YAMLNode, registry: Registry, scope: RenderScope
    ) throws(ConfigurationError) -> (plugin: Self, secrets: Set<String>) {
        let decoder = SettingDecoder(registry: registry, scope: scope)
        let (plugin, table) = decoder.create(Self.self)
        if let filled = decoder.fill(table, from: node, owner: "\(key)", at: node.range) {
            decoder.check([plugin], in: table, filled: filled, at: node.range)
        }
        guard !decoder.hasErrors else { throw ConfigurationError(decoder.diagnostics) }
        return (plugin, Set(decoder.secretUses.map(\.name)))
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

/// A kind of plugin: its namespace, its protocol, and the settings that all its plugins share.
///
/// The kinds in this package are declared in the same way as third-party ones, next to the
/// protocol:
///
/// ```swift
/// /// Knows the temperature of some place.
/// public protocol Thermometer: Plugin where Options == NoOptions {
///     func temperature() async throws -> Double
/// }
///
/// extension Thermometer {
///     public static var namespace: PluginNamespace { PluginKind.thermometers.namespace }
/// }
///
/// extension PluginKind<any Thermometer, NoOptions> {
///     public static var thermometers: Self { Self("thermometers") }
/// }
/// ```
///
/// A setting then takes plugins of the kind:
///
/// ```swift
/// @Setting("Where to measure.", plugins: .thermometers) var source: (any Thermometer)?
/// ```
public struct PluginKind<Plugins: Sendable, Options: Settings>: Sendable {
    /// The namespace of the plugins' keys.
    public let namespace: PluginNamespace
    /// What the plugins' settings can refer to; `nil` to inherit the scope of the enclosing
    /// settings.
    package let scope: RenderScope?

    /// Declares a kind.
    public init(_ namespace: PluginNamespace, scope: RenderScope? = nil) {
        self.namespace = namespace
        self.scope = scope
    }
}

/// The options of a kind whose plugins share no settings.
public struct NoOptions: Settings {
    /// Creates the empty options.
    public init() {}
}

/// A plugin as declared in master.yaml: configured, with its options and its source location.
public struct PluginDeclaration<P: Sendable, Options: Settings>: Sendable {
    /// The key it was declared with.
    public let key: PluginKey
    /// The configured plugin.
    public let plugin: P
    /// The settings that all plugins of the kind share.
    public let options: Options
    /// Where the key is in the file.
    public let range: SourceRange?
    /// The node it was read from, or `nil` for a declaration made in code.
    package let node: YAMLNode?
    /// The plugin instances created for this declaration: those in its settings, innermost first,
    /// then the plugin itself.
    package let instances: [PluginInstance]

    package init(
        key: PluginKey, plugin: P, options: Options, range: SourceRange? = nil,
        node: YAMLNode? = nil, instances: [PluginInstance] = []
    ) {
        self.key = key
        self.plugin = plugin
        self.options = options
        self.range = range
        self.node = node
        self.instances = instances
    }
}

extension PluginDeclaration {
    /// Whether this is the same declaration, with the same plugins.
    package func isSame(as other: Self) -> Bool {
        guard let last = instances.last, let otherLast = other.instances.last else { return false }
        return last === otherLast
    }

    /// Whether another declaration produces the same plugin from the same settings.
    ///
    /// - Parameters:
    ///   - other: A declaration for the same master, read at another time.
    ///   - filesAreEqual: Whether the files it reads still have the same contents.
    /// - Returns: Whether one plugin can serve for both; `false` for a declaration made in code.
    package func isEqual(to other: Self, filesAreEqual: Bool) -> Bool {
        guard let node, node == other.node else { return false }
        return filesAreEqual || !node.contains { $0.expressionName == "File" }
    }
}

/// A plugin created by a decoder, which must be started before use and stopped afterwards.
package final class PluginInstance: Sendable {
    package let key: PluginKey
    package let plugin: any Plugin
    /// Where it was declared; `nil` if in code.
    package let range: SourceRange?

    package init(_ key: PluginKey, _ plugin: any Plugin, at range: SourceRange? = nil) {
        self.key = key
        self.plugin = plugin
        self.range = range
    }
}

extension Setting {
    /// Declares an optional setting that holds one plugin.
    public init<P: Sendable, O: Settings>(
        _ summary: String, plugins kind: PluginKind<P, O>, _ options: SettingOption...
    ) where Value == P? {
        let content = SettingContent.plugins(kind.namespace, isList: false) { node, decoder in
            decoder.plugin(kind, from: node).map { Value.some($0.plugin) }
        }
        self.init(summary, options, content, fallback: .some(Value.none))
    }

    /// Declares an optional setting that holds a list of plugins.
    public init<P: Sendable, O: Settings>(
        _ summary: String, plugins kind: PluginKind<P, O>, _ options: SettingOption...
    ) where Value == [P]? {
        let content = SettingContent.plugins(kind.namespace, isList: true) { node, decoder in
            decoder.plugins(kind, from: node).map { Value.some($0.map { $0.plugin }) }
        }
        self.init(summary, options, content, fallback: .some(Value.none))
    }

    /// Declares an optional setting that holds a list of plugins with their options and source
    /// locations.
    public init<P: Sendable, O: Settings>(
        _ summary: String, declarations kind: PluginKind<P, O>, _ options: SettingOption...
    ) where Value == [PluginDeclaration<P, O>]? {
        let content = SettingContent.plugins(kind.namespace, isList: true) { node, decoder in
            decoder.plugins(kind, from: node).map { Value.some($0) }
        }
        self.init(summary, options, content, fallback: .some(Value.none))
    }
}
