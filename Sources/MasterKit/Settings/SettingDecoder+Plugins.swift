extension SettingDecoder {
    /// Reads a list of plugin entries; an empty list is one.
    public func plugins<P: Sendable, O: Settings>(
        _ kind: PluginKind<P, O>, from node: YAMLNode
    ) -> [PluginDeclaration<P, O>]? {
        if node.isPlaceholder { return nil }
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
    public func plugin<P: Sendable, O: Settings>(
        _ kind: PluginKind<P, O>, from node: YAMLNode
    ) -> PluginDeclaration<P, O>? {
        if node.isPlaceholder { return nil }
        return within(kind.scope ?? scope) {
            let (made, nested) = recordingInstances { makePlugin(in: kind.namespace, from: node) }
            guard let made else { return nil }
            let instances = nested + [PluginInstance(made.key, made.plugin)]
            record(instances)
            guard let plugin = made.plugin as? P, let options = made.options as? O else {
                return error(
                    "\(made.key) does not conform to the protocol of "
                        + "\(kind.namespace.rawValue)", at: made.range)
            }
            return PluginDeclaration(
                key: made.key, plugin: plugin, options: options, range: made.range,
                instances: instances)
        }
    }

    private typealias MadePlugin = (
        key: PluginKey, plugin: any Plugin, options: any Settings, range: SourceRange?
    )

    /// Makes the plugin of an entry with its options, both filled and checked.
    private func makePlugin(in namespace: PluginNamespace, from node: YAMLNode) -> MadePlugin? {
        guard let entry = pluginEntry(of: node, in: namespace), !entry.key.isPlaceholder,
            let known = knownPlugin(entry.key, in: namespace)
        else { return nil }
        let place = entry.key.range
        let (made, table) = settings(of: known.type) {
            PluginParts(known.type)
        } _: {
            [$0.plugin, $0.options]
        }
        guard let given = fill(table, from: entry.settings, owner: "\(known.key)", at: place)
        else { return nil }
        let before = errorCount
        let check = SettingsCheck(decoder: self, given: given, place: place)
        made.plugin.check(check)
        made.options.check(check)
        return errorCount == before ? (known.key, made.plugin, made.options, place) : nil
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
                return reportTwoKeys(mapping, usage: usage)
            }
            return (first.key, first.value)
        default:
            return error("\(usage), not as \(node.wording)", at: node.range)
        }
    }

    private func reportTwoKeys<Value>(_ mapping: YAMLMapping, usage: String) -> Value? {
        let entries = mapping.entries
        let plugins = entries.filter { $0.key.scalarText?.contains(".") ?? false }.map(\.key)
        if plugins.count > 1 {
            return error(
                "an entry names one plugin, but here are \(plugins[0].wording) and "
                    + "\(plugins[1].wording); begin the second one with '- '",
                at: plugins[1].range)
        }
        let bare = entries[0].value.isNull ? entries[0].key : nil
        guard let plugin = plugins.first ?? bare, let name = plugin.scalarText?.shortened else {
            return error(
                "\(usage), but here are \(entries[0].key.wording) and \(entries[1].key.wording)",
                at: entries[1].key.range)
        }
        return error(
            "the settings of \(name) must be indented below it, by two spaces more than '\(name)'",
            at: entries.first { $0.key !== plugin }?.key.range)
    }

    private func knownPlugin(_ key: YAMLNode, in namespace: PluginNamespace) -> Registry.Entry? {
        guard let text = key.scalarText else {
            return error("the key of a plugin is a text, not \(key.wording)", at: key.range)
        }
        if let entry = registry[text] {
            guard entry.key.namespace == namespace else {
                return error(
                    "\(text) is one of \(entry.key.namespace.rawValue); here only "
                        + "\(namespace.rawValue) can stand", at: key.range)
            }
            return entry
        }
        return reportUnknownPlugin(text, among: registry.entries(in: namespace), at: key.range)
    }

    private func reportUnknownPlugin<Value>(
        _ text: String, among known: [Registry.Entry], at range: SourceRange?
    ) -> Value? {
        let name = text.split(separator: ".").last ?? ""
        let sameName = known.first { $0.key.name == name }.map { "did you mean '\($0.key)'?" }
        let remedy = sameName ?? Suggestion.remedy(for: text, among: known.map(\.key.description))
        return error("there is no plugin '\(text.shortened)'; \(remedy)", at: range)
    }
}

/// A new plugin with the settings that the engine reads beside its own.
private struct PluginParts {
    let plugin: any Plugin
    let options: any Settings

    init<P: Plugin>(_ type: P.Type) {
        plugin = P()
        options = P.options
    }
}
