extension Plugin {
    /// Makes a plugin configured from code, through the same checks as master.yaml.
    ///
    /// - Throws: ``ConfigurationError`` with everything that is wrong.
    public static func configured(
        _ settings: JSONObject = JSONObject(), registry: Registry = .empty,
        scope: RenderScope = .build
    ) throws(ConfigurationError) -> Self {
        try configured(YAMLNode(json: .object(settings)), registry: registry, scope: scope)
    }

    /// Makes a plugin configured from a node, which may hold expressions.
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
