/// A namespace together with the protocol that its plugins conform to.
///
/// ```swift
/// @Setting("What to report.", plugins: .generators) var generators: [any ReportGenerator]
/// ```
public struct PluginKind<Plugins>: Sendable {
    /// The namespace of the plugins' keys.
    public let namespace: PluginNamespace

    /// Ties a namespace to a protocol.
    public init(_ namespace: PluginNamespace) {
        self.namespace = namespace
    }
}

extension PluginKind<any ReportGenerator> {
    /// Report generators.
    public static var generators: Self { Self(.generators) }
}

extension PluginKind<any MessageFormatter> {
    /// Message formatters.
    public static var formatters: Self { Self(.formatters) }
}

extension PluginKind<any SecretProvider> {
    /// Secret providers.
    public static var secrets: Self { Self(.secrets) }
}

extension PluginKind<any Reporter> {
    /// Reporters.
    public static var reporters: Self { Self(.reporters) }
}

extension PluginKind<any Step> {
    /// Steps.
    public static var steps: Self { Self(.steps) }
}

extension Setting {
    /// Declares a setting that holds one plugin and may be left out.
    public init<P: Sendable>(
        _ summary: String, plugins kind: PluginKind<P>, _ options: SettingOption...
    ) where Value == P? {
        self.init(
            summary, options, shape: { "a plugin of \(kind.namespace.rawValue)" },
            fallback: .some(nil),
            read: { node, decoder in
                decoder.plugin(kind, from: node).map { .some($0.plugin) }
            })
    }

    /// Declares a setting that holds a list of plugins and may be left out.
    public init<P: Sendable>(
        _ summary: String, plugins kind: PluginKind<P>, _ options: SettingOption...
    ) where Value == [P]? {
        self.init(
            summary, options, shape: { "a list of \(kind.namespace.rawValue)" },
            fallback: .some(nil),
            read: { node, decoder in
                decoder.plugins(kind, from: node).map { .some($0.map(\.plugin)) }
            })
    }

    /// Declares a setting that holds a list of plugins with the places of their declarations.
    ///
    /// - Parameters:
    ///   - summary: What the setting does.
    ///   - kind: Which plugins may stand in it.
    ///   - scope: What their settings may refer to.
    ///   - options: Traits of the setting.
    public init<P: Sendable>(
        _ summary: String, declarations kind: PluginKind<P>, scope: RenderScope,
        _ options: SettingOption...
    ) where Value == [PluginDeclaration<P>]? {
        self.init(
            summary, options, shape: { "a list of \(kind.namespace.rawValue)" },
            fallback: .some(nil),
            read: { node, decoder in
                decoder.within(scope) { decoder.plugins(kind, from: node).map { .some($0) } }
            })
    }
}
