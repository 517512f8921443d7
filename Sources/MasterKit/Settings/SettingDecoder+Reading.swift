extension SettingDecoder {
    /// Reads a value of a type from a node.
    ///
    /// - Returns: The value, or `nil` if it is invalid, in which case an error has been added, or
    ///   if it is only known at run time.
    public func decode<Value: SettingValue>(_ type: Value.Type, from node: YAMLNode) -> Value? {
        if node.isPlaceholder { return nil }
        guard let name = node.expressionName, !(Value.self is any RenderableValue.Type) else {
            return Value.decode(node, with: self)
        }
        if let loaded = LoadedTag(rawValue: name) {
            let isTyped = Value.self is any TypedScalar.Type
            let value = loaded.value(of: node, with: self, isTyped: isTyped)
            let outer = origin
            origin = .loaded(loaded, node)
            defer { origin = outer }
            return value.flatMap { decode(type, from: $0) }
        }
        guard let tag = ExpressionTag(rawValue: name) else {
            return error(ExpressionTag.unknown(name), at: node.tag?.range ?? node.range)
        }
        if isProbing {
            if Value.self is any TruthValue.Type { _ = mayBeCondition(tag, node) }
            return nil
        }
        return error(
            "\(subject) is read before any build runs; it takes a plain value, not !\(name)",
            at: node.range)
    }

    /// Creates settings, reads them from a mapping, reports unknown, duplicate and missing ones,
    /// and calls their ``Settings/check(_:)``.
    ///
    /// - Parameters:
    ///   - type: The type of the settings.
    ///   - node: The mapping, or a single value for the primary setting; `nil` for none.
    ///   - owner: What the settings belong to, for messages.
    ///   - place: The location of the owner's name.
    /// - Returns: The settings, or `nil` if any are invalid, in which case an error has been added.
    public func read<Form: Settings>(
        _ type: Form.Type, from node: YAMLNode?, owner: String, at place: SourceRange?
    ) -> Form? {
        let before = errorCount
        let (form, table) = create(type)
        guard let filled = fill(table, from: node, owner: owner, at: place) else { return nil }
        check([form], in: table, filled: filled, at: place)
        return filled.isValid && errorCount == before ? form : nil
    }

    /// Creates and reads settings like `read`; if there are errors, the result has the valid ones.
    package func reading<Form: Settings>(
        _ type: Form.Type, from node: YAMLNode?, owner: String, at place: SourceRange?
    ) -> (form: Form, isValid: Bool) {
        let (form, table) = create(type)
        let filled = fill(table, from: node, owner: owner, at: place)
        return (form, filled?.isValid ?? false)
    }

    /// Creates settings, and finds the settings in them.
    func create<Form: Settings>(_ type: Form.Type) -> (Form, SettingTable) {
        create(type) {
            Form()
        } holding: {
            [$0]
        }
    }

    /// Creates a value, and finds the settings in it.
    ///
    /// - Parameters:
    ///   - type: The type whose settings these are.
    ///   - make: Creates the value, in the same way each time.
    ///   - values: The parts that have settings, such as a plugin and its options.
    /// - Returns: The value and its settings.
    func create<Value>(
        _ type: any Settings.Type, _ make: () -> Value,
        holding values: (Value) -> [any Settings]
    ) -> (Value, SettingTable) {
        let (value, recorded) = SettingRecorder.recording(make)
        let id = ObjectIdentifier(type)
        if let layout = layouts[id], let table = SettingTable(layout, recorded: recorded) {
            return (value, table)
        }
        let table = SettingTable(of: values(value), recorded: recorded)
        layouts[id] = table.layout
        return (value, table)
    }
}

extension SettingDecoder {
    /// The result of filling settings from a mapping.
    struct Filled {
        /// Each setting that is given, whether valid, invalid or unknown, by its name in the file.
        let given: [String: YAMLMapping.Entry]
        /// Whether every setting has a value and there were no errors.
        let isValid: Bool
    }

    /// Fills settings from a mapping and reports unknown, duplicate and missing ones.
    ///
    /// - Parameters:
    ///   - table: The settings that can be in the mapping, such as those of a step and its options.
    ///   - node: The mapping, or a single value for the primary setting; `nil` for none.
    ///   - owner: What the settings belong to, for messages.
    ///   - place: The location of the owner's name.
    /// - Returns: `nil` if it can't be determined which ones are given.
    func fill(
        _ table: SettingTable, from node: YAMLNode?, owner: String, at place: SourceRange?
    ) -> Filled? {
        let before = errorCount
        reportDuplicateDeclaration(table, owner: owner, at: place)
        guard let entries = entries(of: node, in: table, owner: owner) else { return nil }
        var given: [String: YAMLMapping.Entry] = [:]
        var spellings: [String: String] = [:]
        var misspelt: Set<String> = []
        var isComplete = true
        for (name, key, value) in entries {
            given[name] = YAMLMapping.Entry(key: key, value: value)
            guard let field = table.field(named: name) else {
                if let meant = reportUnknown(name, key, in: table, owner: owner) {
                    misspelt.insert(meant)
                    // A check that finds it missing would report the same mistake again.
                    table.field(named: meant)?.setting.markInvalid()
                }
                continue
            }
            if let other = spellings.updateValue(name, forKey: field.declaration.name) {
                error("\(owner) has both '\(other)' and '\(name)'; keep one", at: key.range)
                continue
            }
            if !fill(field, from: value, owner: owner) { isComplete = false }
        }
        for setting in table.layout.required where !misspelt.contains(setting.name) {
            guard spellings[setting.name] == nil else { continue }
            error("\(owner) needs '\(setting.name)', \(setting.shape)", at: place)
        }
        return Filled(given: given, isValid: isComplete && errorCount == before)
    }

    private func fill(_ field: SettingField, from value: YAMLNode, owner: String) -> Bool {
        about("'\(field.declaration.name)' of \(owner)") {
            if field.setting.refusesEmpty, value.isEmpty {
                error("\(subject) must not be empty", at: value.range)
                field.setting.markInvalid()
                return false
            }
            let before = errorCount
            let outer = range
            range = field.setting.range
            defer { range = outer }
            if field.setting.fill(from: value, with: self) { return true }
            if errorCount == before, !isProbing, !registry.isIncomplete, !value.holdsPlaceholder {
                error("\(subject) must be \(field.declaration.shape)", at: value.range)
            }
            return false
        }
    }

    private typealias Entry = (name: String, key: YAMLNode, value: YAMLNode)

    /// The pairs of name and value; `nil` if it can't be determined which settings are given.
    private func entries(of node: YAMLNode?, in table: SettingTable, owner: String) -> [Entry]? {
        if let node, node.isPlaceholder { return nil }
        guard let node, !node.isNull else { return [] }
        guard case .mapping(let mapping) = node.kind, node.expressionName == nil else {
            guard let primary = table.layout.primary else {
                return error(
                    "\(owner) takes a mapping of settings, not \(node.wording)", at: node.range)
            }
            return [(primary.name, node, node)]
        }
        if mapping.entries.contains(where: \.key.isPlaceholder) { return nil }
        return mapping.entries.compactMap { entry in
            guard let name = entry.key.scalarText else {
                return error(
                    "the name of a setting of \(owner) must be a text, not \(entry.key.wording)",
                    at: entry.key.range)
            }
            return (name, entry.key, entry.value)
        }
    }
}

extension SettingDecoder {
    /// Reads a list of plugin entries, which may be empty.
    package func plugins<P: Sendable, O: Settings>(
        _ kind: PluginKind<P, O>, from node: YAMLNode
    ) -> [PluginDeclaration<P, O>]? {
        if node.isPlaceholder { return nil }
        guard case .sequence(let items) = node.kind, node.expressionName == nil else {
            return error(
                "\(subject) must be a list of \(kind.namespace.rawValue), not \(node.wording); "
                    + "begin each entry with '- '", at: node.range)
        }
        guard let entries = flattened(items, at: node.range) else { return nil }
        let isOfSteps = kind.namespace == PluginKind.steps.namespace
        let expanded = isOfSteps ? expanding(entries) : entries.map { ($0, nil) }
        let read = expanded.map { entry in
            entry.flatMap { node, place in inserting(at: place) { plugin(kind, from: node) } }
        }
        let present = read.compactMap { $0 }
        return present.count == read.count ? present : nil
    }

    /// The entries of a list of plugins, including those in nested lists, such as aliases of lists.
    ///
    /// - Returns: The entries, or `nil` if there are too many, in which case an error has been
    ///   added.
    package func flattened(_ items: [YAMLNode], at range: SourceRange?) -> [YAMLNode]? {
        var entries: [YAMLNode] = []
        func add(_ items: [YAMLNode]) {
            for item in items where entries.count <= Self.maximumEntries {
                guard item.expressionName == nil, case .sequence(let inner) = item.kind else {
                    entries.append(item)
                    continue
                }
                add(inner)
            }
        }
        add(items)
        guard entries.count <= Self.maximumEntries else {
            return error(
                "\(subject) has more than \(Self.maximumEntries) entries, counting those of the "
                    + "lists in it", at: range)
        }
        return entries
    }

    /// The maximum number of entries in one list of plugins.
    private static var maximumEntries: Int { 10_000 }

    /// Reads one plugin entry: a key alone, or a mapping from one key to its settings.
    ///
    /// - Parameters:
    ///   - kind: The kind of plugin.
    ///   - node: The entry.
    ///   - isUsed: Whether the plugin itself is used later, and so has to be started.
    /// - Returns: The plugin, or `nil` if it is invalid.
    package func plugin<P: Sendable, O: Settings>(
        _ kind: PluginKind<P, O>, from node: YAMLNode, isUsed: Bool = true
    ) -> PluginDeclaration<P, O>? {
        if node.isPlaceholder { return nil }
        return within(kind.scope ?? scope) {
            let isMessage = P.self == (any MessageFormatter).self
            let (made, nested) = recordingInstances {
                readingMessage(isMessage) { makePlugin(in: kind.namespace, from: node) }
            }
            guard let made else { return nil }
            let instances = nested + [PluginInstance(made.key, made.plugin, at: made.range)]
            if isUsed { record(instances) }
            guard let plugin = made.plugin as? P, let options = made.options as? O else {
                return error(
                    "\(made.key) does not conform to the protocol of "
                        + "\(kind.namespace.rawValue)", at: made.range)
            }
            return PluginDeclaration(
                key: made.key, plugin: plugin, options: options, range: made.range, node: node,
                instances: instances)
        }
    }

    private typealias MadePlugin = (
        key: PluginKey, plugin: any Plugin, options: any Settings, range: SourceRange?
    )

    /// Creates the plugin of an entry with its options, both filled and checked.
    private func makePlugin(in namespace: PluginNamespace, from node: YAMLNode) -> MadePlugin? {
        guard let entry = pluginEntry(of: node, in: namespace), !entry.key.isPlaceholder,
            let known = knownPlugin(entry.key, in: namespace)
        else { return nil }
        let place = entry.key.range ?? insertion
        let (made, table) = create(known.type) {
            PluginParts(known.type)
        } holding: {
            [$0.plugin, $0.options]
        }
        let before = errorCount
        guard let filled = fill(table, from: entry.settings, owner: "\(known.key)", at: place)
        else { return nil }
        check([made.plugin, made.options], in: table, filled: filled, at: place)
        return filled.isValid && errorCount == before
            ? (known.key, made.plugin, made.options, place) : nil
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
            let command = AbsentPlugin.commandWords.first { mapping[$0] != nil }
            let remedy = command.map {
                "; for '\($0)' write 'steps.ShellCommand: {name: NAME, command: COMMAND}'"
            }
            return error(
                "\(usage), but here are \(entries[0].key.wording) and \(entries[1].key.wording)"
                    + (remedy ?? ""), at: entries[1].key.range)
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
}

/// A new plugin with the settings that the engine reads in addition to the plugin's own.
struct PluginParts {
    let plugin: any Plugin
    let options: any Settings

    init<P: Plugin>(_ type: P.Type) {
        plugin = P()
        options = P.options
    }
}

extension SettingContent {
    /// Reads a value; if it is invalid, adds an error to the decoder and returns `nil`.
    func read(_ node: YAMLNode, with decoder: SettingDecoder) -> (any Sendable)? {
        switch self {
        case .value(let type): decoder.decode(type, from: node)
        case .plugins(_, _, let read): read(node, decoder)
        }
    }
}
