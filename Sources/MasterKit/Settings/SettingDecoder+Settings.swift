extension SettingDecoder {
    /// Fills the settings of a value from a mapping and finds unknown, doubled and missing ones.
    ///
    /// - Parameters:
    ///   - targets: The values whose settings the mapping may name, such as a step and its options.
    ///   - node: The mapping, or a lone value for the primary setting; `nil` for none.
    ///   - owner: What the settings belong to, in words, for messages.
    ///   - place: Where the owner is named.
    /// - Returns: Whether every setting has its value and there was nothing wrong.
    @discardableResult
    public func fill(
        _ targets: [any Settings], from node: YAMLNode?, owner: String, at place: SourceRange?
    ) -> Bool {
        fill(SettingTable(of: targets), from: node, owner: owner, at: place) != nil
    }

    /// Fills settings and returns what names each given one; `nil` when something is wrong.
    func fill(
        _ table: SettingTable, from node: YAMLNode?, owner: String, at place: SourceRange?
    ) -> [String: YAMLNode]? {
        let before = errorCount
        reportDoubledDeclaration(table, owner: owner, at: place)
        guard let entries = entries(of: node, in: table, owner: owner) else { return nil }
        var given: [String: YAMLNode] = [:]
        var spellings: [String: String] = [:]
        var misspelt: Set<String> = []
        var isComplete = true
        for (name, key, value) in entries {
            guard let field = table.field(named: name) else {
                if let meant = reportUnknown(name, key, in: table, owner: owner) {
                    misspelt.insert(meant)
                }
                continue
            }
            given[name] = key
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
        return isComplete && errorCount == before ? given : nil
    }

    private func fill(_ field: SettingField, from value: YAMLNode, owner: String) -> Bool {
        about("'\(field.declaration.name)' of \(owner)") {
            if field.setting.refusesEmpty, value.isEmpty {
                error("\(subject) must not be empty", at: value.range)
                return false
            }
            let before = errorCount
            if field.setting.fill(from: value, with: self) { return true }
            if errorCount == before, !isProbing, !value.holdsPlaceholder {
                error("\(subject) must be \(field.declaration.shape)", at: value.range)
            }
            return false
        }
    }

    private typealias Entry = (name: String, key: YAMLNode, value: YAMLNode)

    /// The pairs of name and value; `nil` when it can't be known which settings are given.
    private func entries(
        of node: YAMLNode?, in table: SettingTable, owner: String
    ) -> [Entry]? {
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

    /// Reports a name that no setting has.
    ///
    /// - Returns: The setting that is probably meant, which then is not missing, too.
    private func reportUnknown(
        _ name: String, _ key: YAMLNode, in table: SettingTable, owner: String
    ) -> String? {
        let shown = name.shortened
        for case let hinting as any SettingHints.Type in table.layout.types {
            guard let hint = hinting.hint(forUnknown: name) else { continue }
            return error("\(owner) has no setting '\(shown)'; \(hint)", at: key.range)
        }
        let declarations = table.layout.declarations
        let known = declarations.flatMap { [$0.name] + $0.aliases }
        let remedy = Suggestion.remedy(for: name, among: known, all: declarations.map(\.name))
        error("\(owner) has no setting '\(shown)'; \(remedy)", at: key.range)
        let meant = Suggestion.nearest(to: name, among: known)
        return meant.flatMap { table.field(named: $0)?.declaration.name }
    }

    private func reportDoubledDeclaration(
        _ table: SettingTable, owner: String, at place: SourceRange?
    ) {
        guard let name = table.layout.doubledName else { return }
        error(
            "\(owner) declares two settings named '\(name)'; one of them needs another name in "
                + "its Swift source", at: place)
    }
}

/// Settings that know why a name is not among them, for example because it is another plugin's.
public protocol SettingHints: Settings {
    /// What to do instead of writing this unknown setting; `nil` when nothing special is known.
    static func hint(forUnknown name: String) -> String?
}
