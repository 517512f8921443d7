extension SettingDecoder {
    /// Reads a list of plugin entries; an empty list is one.
    public func plugins<P: Sendable>(
        _ kind: PluginKind<P>, from node: YAMLNode
    ) -> [PluginDeclaration<P>]? {
        guard case .sequence(let items) = node.kind, node.expressionName == nil else {
            return error(
                "\(subject) must be a list of \(kind.namespace.rawValue), not \(node.wording); "
                    + "begin each entry with '- '", at: node.range)
        }
        let read = items.map { plugin(kind, from: $0) }
        let present = read.compactMap(\.self)
        return present.count == read.count ? present : nil
    }

    /// Reads one plugin entry: a key alone, or a mapping of one key to its settings.
    public func plugin<P: Sendable>(
        _ kind: PluginKind<P>, from node: YAMLNode
    ) -> PluginDeclaration<P>? {
        guard let entry = pluginEntry(of: node, in: kind.namespace),
            let known = knownPlugin(entry.key, in: kind.namespace)
        else { return nil }
        let common = (known.type as? any CommonSettings.Type)?.commonSettings()
        let options = common ?? NoCommonSettings()
        let plugin = known.type.init()
        let isRight = fill(
            [plugin, options], from: entry.settings, owner: "\(known.key)", at: entry.key.range)
        guard isRight else { return nil }
        let before = diagnostics.count
        plugin.check(SettingsCheck(decoder: self, node: entry.settings, place: entry.key.range))
        guard !diagnostics[before...].contains(where: { $0.severity == .error }) else { return nil }
        guard let typed = plugin as? P else {
            return error(
                "\(known.key) does not conform to the protocol of \(kind.namespace.rawValue)",
                at: entry.key.range)
        }
        return PluginDeclaration(
            key: known.key, plugin: typed, options: options, range: entry.key.range)
    }

    private func pluginEntry(
        of node: YAMLNode, in namespace: PluginNamespace
    ) -> (key: YAMLNode, settings: YAMLNode?)? {
        let usage = "an entry is written '\(namespace.rawValue).NAME: settings'"
        switch node.kind {
        case .scalar where node.expressionName == nil && !node.isNull:
            return (node, nil)
        case .mapping(let mapping) where node.expressionName == nil:
            guard let first = mapping.entries.first else {
                return error("this entry is empty; \(usage)", at: node.range)
            }
            guard mapping.entries.count == 1 else {
                return reportTwoKeys(mapping, first: first)
            }
            return (first.key, first.value)
        default:
            return error("\(usage), not as \(node.wording)", at: node.range)
        }
    }

    private func reportTwoKeys<Value>(
        _ mapping: YAMLMapping, first: YAMLMapping.Entry
    ) -> Value? {
        let name = first.key.scalarText ?? "the plugin"
        let second = mapping.entries[1].key
        let others = mapping.entries.dropFirst().compactMap(\.key.scalarText)
        if first.value.isNull, !others.contains(where: { $0.contains(".") }) {
            return error(
                "the settings of \(name) must be indented below it, by two spaces more than "
                    + "'\(name)'", at: second.range)
        }
        return error(
            "an entry names one plugin, but here are '\(name)' and "
                + "'\(others.first ?? "")'; begin the second one with '- '", at: second.range)
    }

    private func knownPlugin(_ key: YAMLNode, in namespace: PluginNamespace) -> Registry.Entry? {
        guard let text = key.scalarText else {
            return error("the key of a plugin is a text, not \(key.wording)", at: key.range)
        }
        let known = registry.entries(in: namespace)
        if let entry = registry[text] {
            guard entry.key.namespace == namespace else {
                return error(
                    "\(text) is one of \(entry.key.namespace.rawValue); here only "
                        + "\(namespace.rawValue) can stand", at: key.range)
            }
            return entry
        }
        let names = known.map(\.key.description)
        if let bare = known.first(where: { $0.key.name == text }) {
            return error("there is no plugin '\(text)'; did you mean '\(bare.key)'?", at: key.range)
        }
        let remedy = Suggestion.remedy(for: text, among: names)
        return error("there is no plugin '\(text)'; \(remedy)", at: key.range)
    }
}
