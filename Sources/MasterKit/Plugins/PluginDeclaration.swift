/// A plugin as master.yaml declares it: configured, with the place of its declaration.
public struct PluginDeclaration<P: Sendable>: Sendable {
    /// The key under which it was found.
    public let key: PluginKey
    /// The configured plugin.
    public let plugin: P
    /// The common settings that the engine reads beside the plugin's own.
    public let options: any Settings
    /// Where the key stands.
    public let range: SourceRange?
}

/// A kind of plugin with settings that all plugins of it share and that the engine reads.
public protocol CommonSettings {
    /// Makes the shared settings, to be filled beside the plugin's own.
    static func commonSettings() -> any Settings
}

/// Shared settings that look at themselves after they were read.
protocol CheckedOptions: Settings {
    /// Adds what is wrong with settings that are right one by one.
    func check(_ settings: SettingsCheck)
}

/// No shared settings.
struct NoCommonSettings: Settings {}
