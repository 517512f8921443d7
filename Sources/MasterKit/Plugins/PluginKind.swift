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

    package init(_ key: PluginKey, _ plugin: any Plugin) {
        self.key = key
        self.plugin = plugin
    }
}

extension Setting {
    /// Declares an optional setting that holds one plugin.
    public init<P: Sendable, O: Settings>(
        _ summary: String, plugins kind: PluginKind<P, O>, _ options: SettingOption...
    ) where Value == P? {
        self.init(
            summary, options, shape: { "a plugin of \(kind.namespace.rawValue)" },
            fallback: .some(nil),
            read: { node, decoder in
                decoder.plugin(kind, from: node).map { .some($0.plugin) }
            })
    }

    /// Declares an optional setting that holds a list of plugins.
    public init<P: Sendable, O: Settings>(
        _ summary: String, plugins kind: PluginKind<P, O>, _ options: SettingOption...
    ) where Value == [P]? {
        self.init(
            summary, options, shape: { "a list of \(kind.namespace.rawValue)" },
            fallback: .some(nil),
            read: { node, decoder in
                decoder.plugins(kind, from: node).map { .some($0.map { $0.plugin }) }
            })
    }

    /// Declares an optional setting that holds a list of plugins with their options and source
    /// locations.
    public init<P: Sendable, O: Settings>(
        _ summary: String, declarations kind: PluginKind<P, O>, _ options: SettingOption...
    ) where Value == [PluginDeclaration<P, O>]? {
        self.init(
            summary, options, shape: { "a list of \(kind.namespace.rawValue)" },
            fallback: .some(nil),
            read: { node, decoder in decoder.plugins(kind, from: node).map { .some($0) } })
    }
}
