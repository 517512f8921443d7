/// A kind of plugin: its namespace, its protocol, and the settings that all its plugins share.
///
/// The kinds of this package are declared in the same way as anybody else's, beside the protocol:
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
    /// What the settings of the plugins may refer to; `nil` for the same as the settings around.
    package let scope: RenderScope?

    /// Declares a kind.
    public init(_ namespace: PluginNamespace, scope: RenderScope? = nil) {
        self.namespace = namespace
        self.scope = scope
    }
}

/// The options of a kind whose plugins share no settings.
public struct NoOptions: Settings {
    /// Makes no options.
    public init() {}
}

/// A plugin as master.yaml declares it: configured, with its options and its place.
public struct PluginDeclaration<P: Sendable, Options: Settings>: Sendable {
    /// The key under which it was found.
    public let key: PluginKey
    /// The configured plugin.
    public let plugin: P
    /// The settings that all plugins of the kind share.
    public let options: Options
    /// Where the key stands.
    public let range: SourceRange?
    /// The entry that was read; `nil` for a declaration made in code.
    package let node: YAMLNode?
    /// The plugins that were made for this declaration: those among its settings, the innermost
    /// first, then the plugin itself.
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

    /// Whether another declaration makes the same plugin of the same settings.
    ///
    /// - Parameters:
    ///   - other: A declaration for the same master, read at another time.
    ///   - filesAreEqual: Whether the files beside it still have the same texts.
    /// - Returns: Whether one plugin serves for both; `false` for a declaration made in code.
    package func isEqual(to other: Self, filesAreEqual: Bool) -> Bool {
        guard let node, node == other.node else { return false }
        return filesAreEqual || !node.contains { $0.expressionName == "File" }
    }
}

/// A plugin that a decoder made, to be started before it is used and stopped afterwards.
package final class PluginInstance: Sendable {
    package let key: PluginKey
    package let plugin: any Plugin

    package init(_ key: PluginKey, _ plugin: any Plugin) {
        self.key = key
        self.plugin = plugin
    }
}

extension Setting {
    /// Declares a setting that holds one plugin and may be left out.
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

    /// Declares a setting that holds a list of plugins and may be left out.
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

    /// Declares a setting that holds a list of plugins with their options and places.
    public init<P: Sendable, O: Settings>(
        _ summary: String, declarations kind: PluginKind<P, O>, _ options: SettingOption...
    ) where Value == [PluginDeclaration<P, O>]? {
        self.init(
            summary, options, shape: { "a list of \(kind.namespace.rawValue)" },
            fallback: .some(nil),
            read: { node, decoder in decoder.plugins(kind, from: node).map { .some($0) } })
    }
}
