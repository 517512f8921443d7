internal import MasterKit
internal import MasterRuntime

/// A page with every setting of a master.yaml for the plugins of a registry, in Markdown.
struct SettingsReference {
    private let registry: Registry
    /// The types of settings that have a section, each once.
    private var sections: [(title: String, settings: [SettingDescription])] = []
    private var seen: Set<ObjectIdentifier> = []

    /// The lines of the page.
    static func lines(for registry: Registry) -> [String] {
        var reference = SettingsReference(registry: registry)
        let top = MasterConfiguration.settingDescriptions
        reference.addSections(in: top, below: [])
        var lines = introduction
        lines += ["## Top level", ""] + table(top)
        for section in reference.sections {
            lines += ["", "## \(section.title)", ""] + table(section.settings)
        }
        for namespace in reference.namespaces { lines += reference.lines(of: namespace) }
        return lines
    }

    private static let introduction = [
        "# All settings", "",
        "Every setting of master.yaml and every plugin, with types and defaults.", "",
        "## Overview", "",
        "This page is printed by `buildmaster schema --markdown`, from the declarations that the "
            + "program itself reads a file by; a master with plugins of its own prints theirs, too. "
            + "A setting marked `!` is required; a value in place of all settings fills the one "
            + "marked `*`. In a setting marked `=` a build computes values such as `!Property branch`.",
        "",
    ]

    private init(registry: Registry) {
        self.registry = registry
    }

    // MARK: Sections

    /// Adds a section for each type of settings that the values of others contain.
    private mutating func addSections(in settings: [SettingDescription], below path: [String]) {
        for setting in settings {
            for type in setting.form.settingsTypes
            where seen.insert(ObjectIdentifier(type)).inserted {
                let place = path + [setting.name]
                let title = place.map { "`\($0)`" }.joined(separator: " → ")
                let inner = type.descriptions
                sections.append((title, inner))
                addSections(in: inner, below: place)
            }
        }
    }

    // MARK: Plugins

    private var namespaces: [PluginNamespace] {
        var found: [PluginNamespace] = []
        for entry in registry.entries where !found.contains(entry.key.namespace) {
            found.append(entry.key.namespace)
        }
        return found
    }

    private func lines(of namespace: PluginNamespace) -> [String] {
        let plugins = registry.entries(in: namespace).map(\.description)
        var lines = ["", "## Plugins: \(namespace.rawValue)", ""]
        lines += ["| Key | What it does | Settings of its own |", "|---|---|---|"]
        lines += plugins.map { plugin in
            let names = plugin.settings.map { Self.name($0) }.joined(separator: ", ")
            return "| `\(plugin.key)` | \(Self.cell(plugin.summary)) | \(names) |"
        }
        // Every plugin has these, possibly with another default or replaced by one of its own.
        let counts = plugins.map(\.options.count)
        guard let most = counts.max(), most > 0,
            let whole = plugins.first(where: { $0.options.count == most })
        else { return lines }
        lines += ["", "### Settings of all \(namespace.rawValue)", ""]
        return lines + Self.table(whole.options.map { common($0, of: plugins) })
    }

    /// A common setting, without a default that is not that of most plugins.
    private func common(
        _ setting: SettingDescription, of plugins: [PluginDescription]
    ) -> SettingDescription {
        let all = plugins.compactMap { plugin in
            plugin.options.first { $0.name == setting.name }
        }
        return all.max { one, other in
            all.count { $0.defaultValue == one.defaultValue }
                < all.count { $0.defaultValue == other.defaultValue }
        } ?? setting
    }

    // MARK: Tables

    private static func table(_ settings: [SettingDescription]) -> [String] {
        ["| Setting | Takes | Default | Meaning |", "|---|---|---|---|"]
            + settings.map { setting in
                let fallback = setting.defaultValue.map { "`\(YAMLLines.scalar($0))`" } ?? ""
                return "| \(name(setting)) | \(cell(setting.declaration.shape)) | \(fallback) | "
                    + "\(cell(setting.declaration.summary)) |"
            }
    }

    /// The names of a setting, with marks for what it is.
    private static func name(_ setting: SettingDescription) -> String {
        let declaration = setting.declaration
        let names = ([declaration.name] + declaration.aliases).map { "`\($0)`" }
        let marks =
            (declaration.isPrimary ? "*" : "") + (declaration.isRequired ? "!" : "")
            + (setting.form.isComputed ? "=" : "")
        let shown = names.joined(separator: " or ")
        return marks.isEmpty ? shown : "\(shown) `\(marks)`"
    }

    /// Text in a cell of a table.
    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("<", with: "\\<").replacing("*", with: "\\*")
    }
}

extension ValueForm {
    /// The types of settings in values of this form.
    fileprivate var settingsTypes: [any Settings.Type] {
        switch self {
        case .settings(let type): [type]
        case .list(let form), .mapping(let form), .optional(let form), .computed(let form):
            form.settingsTypes
        case .either(let forms): forms.flatMap(\.settingsTypes)
        case .any, .text, .boolean, .integer, .number, .choice, .plugin: []
        }
    }
}
