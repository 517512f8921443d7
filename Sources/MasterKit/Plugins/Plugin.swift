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

    /// The options with the defaults that this type has; made anew at each call, since the
    /// settings of the file are read into them.
    static var options: Options { get }

    /// Makes ready for use. Called once, before the first build.
    func start() async throws

    /// Gives up what `start` took. Called once at the end, also after a `start` that failed.
    func stop() async
}

extension Plugin {
    /// The type's own name.
    public static var pluginName: String { String(describing: Self.self) }

    /// The key under which master.yaml finds the plugin.
    public static var key: PluginKey { PluginKey(namespace, pluginName) }

    /// The options with their own defaults.
    public static var options: Options { Options() }

    /// Needs nothing.
    public func start() async throws {}

    /// Holds nothing.
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
    public static func configured(
        _ node: YAMLNode, registry: Registry = .empty, scope: RenderScope = .build
    ) throws(ConfigurationError) -> Self {
        let decoder = SettingDecoder(registry: registry, scope: scope)
        let plugin = Self()
        let table = SettingTable(of: [plugin])
        if let given = decoder.fill(table, from: node, owner: "\(key)", at: node.range) {
            plugin.check(SettingsCheck(decoder: decoder, given: given, place: node.range))
        }
        guard !decoder.hasErrors else { throw ConfigurationError(decoder.diagnostics) }
        return plugin
    }
}
