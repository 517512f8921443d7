/// A list of plugin types from one place, to be put into a ``Registry``.
public struct PluginBundle: Sendable {
    /// Where the plugins come from, named when two plugins have the same key.
    public let origin: String
    /// The plugin types.
    public let plugins: [any Plugin.Type]

    /// Makes a bundle.
    ///
    /// - Parameters:
    ///   - plugins: The plugin types.
    ///   - origin: Where they come from; by default the module in which the bundle is written.
    public init(_ plugins: any Plugin.Type..., origin: String = #fileID) {
        self.init(plugins, origin: origin)
    }

    /// Makes a bundle of an array of plugin types.
    public init(_ plugins: [any Plugin.Type], origin: String = #fileID) {
        self.plugins = plugins
        self.origin = origin.hasSuffix(".swift") ? String(origin.prefix { $0 != "/" }) : origin
    }
}
