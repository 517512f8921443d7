internal import MasterKit

/// Example files that show how plugins are declared.
struct PluginExample {
    let registry: Registry

    /// A whole file that declares a plugin, or its entry alone if nothing is known that takes such
    /// plugins.
    func lines(of plugin: PluginDescription) -> [String] {
        YAMLLines.lines(file(around: plugin) ?? [entry(plugin)])
    }

    private func file(around plugin: PluginDescription) -> JSONValue? {
        let entry = entry(plugin)
        switch plugin.key.namespace {
        case "steps": return file(with: entry, plugin.key.name)
        case "factories": return ["builders": [["name": "example", "factory": entry]]]
        case "workers":
            let worker = self.entry(plugin, adding: ["name": "linux1"])
            let isRemote = plugin.settings.contains { $0.name == "password" }
            let needed: JSONObject = [
                "secrets": ["secrets.Environment"], "protocols": ["msgpack": ["port": 9989]],
            ]
            let file = (isRemote ? needed : [:]).merging(["workers": [worker], "steps": steps])
            return .object(file)
        case "secrets": return ["secrets": [entry], "steps": steps]
        case "services", "reporters": return ["services": [entry], "steps": steps]
        case "changes": return ["change_source": [entry], "steps": steps]
        case "schedulers": return file(withScheduler: plugin)
        case "generators":
            return reporter(with: entry).map { ["services": [$0], "steps": steps] }
        case "formatters":
            guard
                let generator = described("generators").first(where: {
                    $0.settings.contains { $0.name == "message_formatter" }
                })
            else { return nil }
            let whole = self.entry(generator, adding: ["message_formatter": entry])
            return reporter(with: whole).map { ["services": [$0], "steps": steps] }
        default: return nil
        }
    }

    /// A file with a step, and what the step refers to.
    private func file(with entry: JSONValue, _ name: String) -> JSONValue {
        switch name {
        case "StopBackgroundCommand":
            let start = registry["steps.BackgroundCommand"].map { [self.entry($0.description)] }
            return ["steps": .array((start ?? []) + [entry])]
        case "Trigger":
            return [
                "builders": [
                    ["name": "first", "steps": [entry]],
                    ["name": "second", "triggeredOnly": true, "steps": steps],
                ]
            ]
        default: return ["steps": [entry]]
        }
    }

    /// A file with a scheduler, its builder, and the scheduler that it follows, if any.
    private func file(withScheduler plugin: PluginDescription) -> JSONValue {
        func entry(_ plugin: PluginDescription, _ name: String) -> JSONValue {
            let common: JSONObject = ["name": .string(name), "builderNames": ["first"]]
            return self.entry(plugin, adding: common)
        }
        let upstream =
            plugin.settings.contains { $0.name == "upstream" }
            ? registry["schedulers.Periodic"]?.description : nil
        let schedulers =
            (upstream.map { [entry($0, "upstream")] } ?? []) + [entry(plugin, "example")]
        return [
            "schedulers": .array(schedulers), "builders": [["name": "first", "steps": steps]],
        ]
    }

    private var steps: JSONValue {
        let step = registry["steps.ShellCommand"] ?? registry.entries(in: "steps").first
        return .array(step.map { [entry($0.description)] } ?? [])
    }

    private func reporter(with generator: JSONValue) -> JSONValue? {
        let reporter =
            registry["reporters.HttpStatusPush"] ?? registry.entries(in: "reporters").first
        return reporter.map { entry($0.description, adding: ["generators": [generator]]) }
    }

    private func described(_ namespace: PluginNamespace) -> [PluginDescription] {
        registry.entries(in: namespace).map(\.description)
    }

    // MARK: Entries

    /// An entry with the settings that are required and those that have an example.
    private func entry(
        _ plugin: PluginDescription, adding addition: JSONObject? = nil
    ) -> JSONValue {
        var shown = plugin.settings.filter { $0.declaration.isRequired || $0.example != nil }
        if shown.isEmpty { shown = plugin.settings.filter(\.declaration.isPrimary) }
        let key = "\(plugin.key)"
        guard let addition else {
            if shown.count == 1, let setting = shown.first, setting.declaration.isPrimary {
                return .object([key: value(of: setting)])
            }
            return shown.isEmpty ? .string(key) : .object([key: .object(mapping(shown))])
        }
        var settings = mapping(shown)
        for entry in addition { settings[entry.key] = entry.value }
        return .object([key: .object(settings)])
    }

    private func mapping(_ settings: [SettingDescription]) -> JSONObject {
        var mapping = JSONObject()
        for setting in settings { mapping[setting.name] = value(of: setting) }
        return mapping
    }

    private func value(of setting: SettingDescription) -> JSONValue {
        setting.example
            ?? value(of: setting.form, setting.declaration.shape, named: setting.name)
    }

    private func value(of form: ValueForm, _ shape: String, named name: String) -> JSONValue {
        switch form.plain {
        case .choice(let words): return .string(words.first ?? name)
        case .boolean: return true
        case .integer, .number: return 1
        case .list(let item): return [value(of: item, shape, named: name)]
        case .mapping(let item): return ["name": value(of: item, "", named: "value")]
        case .settings(let type):
            let settings = type.descriptions
            let required = settings.filter(\.declaration.isRequired)
            return .object(mapping(required.isEmpty ? Array(settings.prefix(1)) : required))
        case .plugin(let namespace):
            let plugin = described(namespace).min {
                $0.settings.count(where: \.declaration.isRequired)
                    < $1.settings.count(where: \.declaration.isRequired)
            }
            return plugin.map { entry($0) } ?? .string("\(namespace.rawValue).NAME")
        case .either(let forms):
            return value(of: forms.first ?? .text, shape, named: name)
        case .any, .text, .optional, .computed:
            return Self.example(in: shape) ?? .string(name)
        }
    }

    /// The first value after "such as" in the words for the accepted values.
    private static func example(in shape: String) -> JSONValue? {
        guard let range = shape.firstRange(of: "such as ") else { return nil }
        let text = String(shape[range.upperBound...])
        let first =
            text.hasPrefix("{") || text.hasPrefix("[")
            ? text : String(text.prefix { $0 != "," && $0 != " " })
        let parsed = YAMLParser.parse(first, name: "example")
        let decoder = SettingDecoder(registry: .empty)
        guard let root = parsed.root, !parsed.hasErrors else { return .string(first) }
        return decoder.decode(JSONValue.self, from: root)
    }
}

/// JSON values as YAML in block style.
enum YAMLLines {
    /// The lines of a mapping or list.
    static func lines(_ value: JSONValue) -> [String] {
        switch value {
        case .object(let object) where !object.isEmpty:
            return object.flatMap { entry in
                let key = scalar(.string(entry.key))
                guard entry.value.isBlock else { return ["\(key): \(scalar(entry.value))"] }
                return ["\(key):"] + lines(entry.value).map { "  " + $0 }
            }
        case .array(let items) where !items.isEmpty:
            return items.flatMap { item in
                let inner = item.isBlock ? lines(item) : [scalar(item)]
                return inner.enumerated().map { ($0.offset == 0 ? "- " : "  ") + $0.element }
            }
        default: return [scalar(value)]
        }
    }

    /// A scalar, or a list of scalars in brackets; quoted where YAML would read something else. A
    /// reference to a secret stays one.
    static func scalar(_ value: JSONValue) -> String {
        switch value {
        case .string(let text) where text.hasPrefix("!Secret "): return text
        case .string(let text):
            let isPlain =
                text.wholeMatch(of: /[A-Za-z\/.][A-Za-z0-9_.\/@+\-]*( [A-Za-z0-9_.\/@+\-]+)*/)
                != nil
                || text.wholeMatch(of: /https?:\/\/[A-Za-z0-9_.\/:\-]+/) != nil
            guard isPlain, YAMLScalar(text).resolved == .string(text) else {
                return JSONWriter.compact.string(value)
            }
            return text
        case .array(let items): return "[" + items.map { scalar($0) }.joined(separator: ", ") + "]"
        default: return JSONWriter.compact.string(value)
        }
    }
}

extension JSONValue {
    /// Whether a value takes lines of its own.
    fileprivate var isBlock: Bool {
        switch self {
        case .object(let object): !object.isEmpty
        case .array(let items):
            items.contains { item in
                switch item {
                case .object, .array: true
                default: false
                }
            }
        default: false
        }
    }
}

/// What `plugins describe` prints of a plugin.
struct PluginReport {
    let plugin: PluginDescription
    let example: [String]

    init(_ plugin: PluginDescription, in registry: Registry) {
        self.plugin = plugin
        example = PluginExample(registry: registry).lines(of: plugin)
    }

    func lines(_ traits: TerminalTraits) -> [String] {
        let paint = TextPainter(hasColour: traits.hasColour)
        var lines = [
            paint(.bold, "\(plugin.key)") + "  \(plugin.summary)", "from \(plugin.origin)",
        ]
        func add(_ title: String, _ settings: [SettingDescription]) {
            guard !settings.isEmpty else { return }
            lines += ["", title]
            for setting in settings { lines += self.lines(setting, paint) }
        }
        add("settings", plugin.settings)
        add("settings that all \(plugin.key.namespace.rawValue) have", plugin.options)
        return lines + ["", "example"] + example.map { "  " + $0 }
    }

    private func lines(_ setting: SettingDescription, _ paint: TextPainter) -> [String] {
        let declaration = setting.declaration
        var traits: [String] = []
        if declaration.isRequired { traits.append("required") }
        if declaration.isPrimary { traits.append("may stand alone") }
        if declaration.isSecret { traits.append("secret") }
        if let value = setting.defaultValue { traits.append("default \(YAMLLines.scalar(value))") }
        if !declaration.aliases.isEmpty {
            traits.append("also \(declaration.aliases.joined(separator: ", "))")
        }
        let shown = traits.isEmpty ? "" : " (\(traits.joined(separator: "; ")))"
        var shape = declaration.shape
        if case .list = setting.form.plain, let choices = setting.form.choices {
            shape = "a list of \(choices.joined(separator: ", "))"
        }
        return [
            "  " + paint(.bold, declaration.name) + ": \(shape)\(shown)",
            "      \(declaration.summary)",
        ]
    }

    var json: JSONValue {
        [
            "key": .string("\(plugin.key)"), "summary": .string(plugin.summary),
            "origin": .string(plugin.origin),
            "settings": .array(plugin.settings.map(Self.json)),
            "options": .array(plugin.options.map(Self.json)),
            "example": .string(example.joined(separator: "\n") + "\n"),
        ]
    }

    private static func json(_ setting: SettingDescription) -> JSONValue {
        let declaration = setting.declaration
        var object: JSONObject = [
            "name": .string(declaration.name),
            "aliases": .array(declaration.aliases.map { .string($0) }),
            "description": .string(declaration.summary), "type": .string(declaration.shape),
            "required": .bool(declaration.isRequired), "primary": .bool(declaration.isPrimary),
            "secret": .bool(declaration.isSecret), "computed": .bool(setting.form.isComputed),
        ]
        if let choices = setting.form.choices {
            object["choices"] = .array(choices.map { .string($0) })
        }
        if let value = setting.defaultValue { object["default"] = value }
        if let value = setting.example { object["example"] = value }
        return .object(object)
    }
}
