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
