extension SettingDecoder {
    /// Fills the settings of a value from a mapping and finds unknown, doubled and missing ones.
    ///
    /// - Parameters:
    ///   - targets: The values whose settings the mapping may name, such as a step and its options.
    ///   - node: The mapping, or a lone value for the primary setting; `nil` for none.
    ///   - owner: What the settings belong to, in words, for messages.
    ///   - place: Where the owner is named.
    /// - Returns: Whether there was nothing wrong.
    @discardableResult
    public func fill(
        _ targets: [any Settings], from node: YAMLNode?, owner: String, at place: SourceRange?
    ) -> Bool {
        let before = errorCount
        let fields = targets.flatMap { $0.settingFields() }
        let given = node.map { entries(of: $0, fields: fields, owner: owner) } ?? []
        var seen: [String: YAMLNode] = [:]
        for (name, key, value) in given {
            guard let field = fields.first(where: { $0.answers(to: name) }) else {
                reportUnknown(name, key, fields: fields, targets: targets, owner: owner)
                continue
            }
            if let earlier = seen.updateValue(key, forKey: field.declaration.name) {
                let other = earlier.scalarText ?? field.declaration.name
                error("\(owner) has both '\(other)' and '\(name)'; keep one", at: key.range)
                continue
            }
            fill(field, from: value, owner: owner)
        }
        reportMissing(fields, seen: seen, owner: owner, at: place)
        return errorCount == before
    }

    private var errorCount: Int {
        diagnostics.count { $0.severity == .error }
    }

    private func fill(_ field: SettingField, from value: YAMLNode, owner: String) {
        about("'\(field.declaration.name)' of \(owner)") {
            if field.setting.refusesEmpty, value.isEmpty {
                error("\(subject) must not be empty", at: value.range)
                return
            }
            _ = field.setting.fill(from: value, with: self)
        }
    }

    private typealias Entry = (name: String, key: YAMLNode, value: YAMLNode)

    private func entries(of node: YAMLNode, fields: [SettingField], owner: String) -> [Entry] {
        if node.isNull, node.expressionName == nil { return [] }
        guard case .mapping(let mapping) = node.kind, node.expressionName == nil else {
            guard let primary = fields.first(where: { $0.declaration.isPrimary }) else {
                error(
                    "\(owner) takes a mapping of settings, not \(node.wording)", at: node.range)
                return []
            }
            return [(primary.declaration.name, node, node)]
        }
        return mapping.entries.compactMap { entry in
            guard let name = entry.key.scalarText else {
                error(
                    "the name of a setting of \(owner) must be a text, not \(entry.key.wording)",
                    at: entry.key.range)
                return nil
            }
            return (name, entry.key, entry.value)
        }
    }

    private func reportUnknown(
        _ name: String, _ key: YAMLNode, fields: [SettingField], targets: [any Settings],
        owner: String
    ) {
        for case let hinting as any SettingHints in targets {
            if let hint = type(of: hinting).hint(forUnknown: name) {
                error("\(owner) has no setting '\(name)'; \(hint)", at: key.range)
                return
            }
        }
        let known = fields.flatMap { [$0.declaration.name] + $0.declaration.aliases }
        let remedy = Suggestion.remedy(for: name, among: known, all: fields.map(\.declaration.name))
        error("\(owner) has no setting '\(name)'; \(remedy)", at: key.range)
    }

    private func reportMissing(
        _ fields: [SettingField], seen: [String: YAMLNode], owner: String, at place: SourceRange?
    ) {
        for field in fields where field.setting.isRequired {
            guard seen[field.declaration.name] == nil else { continue }
            error(
                "\(owner) needs '\(field.declaration.name)', \(field.declaration.shape)", at: place)
        }
    }
}

/// Settings that know why a name is not among them, for example because it is another plugin's.
public protocol SettingHints: Settings {
    /// What to do instead of writing this unknown setting; `nil` when nothing special is known.
    static func hint(forUnknown name: String) -> String?
}

extension SettingField {
    func answers(to name: String) -> Bool {
        declaration.name == name || declaration.aliases.contains(name)
    }
}
