/// A part of a master that is declared in master.yaml and written in Swift.
///
/// Conform to one of the protocols that refine this one, such as ``Step`` or ``Reporter``. Its life:
/// `init()`, the settings are filled and checked, `check`, `start`, use, `stop`. A configured
/// plugin is immutable and shared by all builds; what belongs to one build lives in its calls.
public protocol Plugin: Settings {
    /// The kind of plugin, given by the refining protocol.
    static var namespace: PluginNamespace { get }

    /// The name within the namespace; by default the type's own.
    static var pluginName: String { get }

    /// What the plugin does, in one sentence.
    static var summary: String { get }

    /// Looks at the settings together and adds diagnostics; touches nothing outside.
    ///
    /// Called once after every setting was read without an error.
    func check(_ settings: SettingsCheck)

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

    /// Finds nothing wrong.
    public func check(_ settings: SettingsCheck) {}

    /// Needs nothing.
    public func start() async throws {}

    /// Holds nothing.
    public func stop() async {}
}
