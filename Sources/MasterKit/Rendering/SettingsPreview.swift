extension PluginDeclaration {
    /// Returns the settings given in the file, as far as they can be computed before a build runs.
    ///
    /// A value that uses an unknown property, or differs between two contexts, is shown as written
    /// in the file. All strings are masked.
    ///
    /// - Parameters:
    ///   - one: What is known; properties that only the build knows are not set.
    ///   - other: The same with different results and numbers.
    ///   - environment: The environment for `!Env`.
    ///   - folder: The folder for `!File`.
    /// - Returns: The values by setting name; a single value has the name of the primary setting.
    package func preview(
        in one: RenderContext, _ other: RenderContext, environment: [String: String],
        folder: String
    ) -> JSONObject {
        guard let entry = node?.mapping?.entries.first, !entry.value.isNull else { return [:] }
        let decoder = SettingDecoder(environment: environment, folder: folder)
        let preview = SettingsPreview(one: one, other: other, decoder: decoder)
        if entry.value.expressionName == nil, let mapping = entry.value.mapping {
            var settings = JSONObject()
            for setting in mapping.entries {
                guard let name = setting.key.scalarText else { continue }
                settings[name] = preview.value(setting.value)
            }
            return settings
        }
        let primary = (plugin as? any Settings).map { type(of: $0).declarations }?
            .first(where: \.isPrimary)
        return [primary?.name ?? "settings": preview.value(entry.value)]
    }
}

/// Computes the values that can be computed before a build runs.
private struct SettingsPreview {
    let one: RenderContext
    let other: RenderContext
    let decoder: SettingDecoder

    func value(_ node: YAMLNode) -> JSONValue {
        guard let tree = RenderTree(node, with: decoder) else { return .string(node.sourceText) }
        return one.secrets.mask.apply(to: value(tree)).withoutUsersOfURLs
    }

    private func value(_ tree: RenderTree) -> JSONValue {
        switch tree {
        case .constant(let node):
            return JSONValue(node)
        case .sequence(let items, _):
            return .array(items.map { value($0) })
        case .mapping(let pairs, _):
            let settings = pairs.map { (value($0.key).text ?? "null", value($0.value)) }
            return .object(JSONObject(settings))
        case .expression(let expression, let node):
            let source = JSONValue.string(node?.sourceText ?? "(computed)")
            if let node, dependsOnBuild(node) { return source }
            do throws(RenderError) {
                let value = try expression.evaluate(in: one)
                return try expression.evaluate(in: other) == value ? value : source
            } catch {
                return source  // What is missing may be there when the build runs.
            }
        }
    }

    /// Whether a value depends on properties or results that are not known yet.
    private func dependsOnBuild(_ node: YAMLNode) -> Bool {
        let reader = SettingDecoder(environment: decoder.environment, folder: decoder.folder)
        _ = RenderTree(node, with: reader)
        return reader.propertyUses.contains { one.properties[$0] == nil }
            || node.contains { $0.expressionName == "Results" }
    }
}

extension JSONValue {
    /// The value with no user and password in the URLs of its texts.
    fileprivate var withoutUsersOfURLs: JSONValue {
        switch self {
        case .string(let text):
            let words = text.split(separator: " ", omittingEmptySubsequences: false)
            return .string(
                words.map { HTTPAddress.withoutUser(String($0)) }.joined(separator: " "))
        case .array(let items): return .array(items.map(\.withoutUsersOfURLs))
        case .object(let object):
            let pairs = object.map { ($0.key, $0.value.withoutUsersOfURLs) }
            return .object(JSONObject(pairs))
        case .null, .bool, .number: return self
        }
    }
}

extension YAMLNode {
    /// The node as written in its file, on one line.
    fileprivate var sourceText: String {
        guard let file, let range else { return wording }
        let text = file.text.utf8.dropFirst(range.start.offset)
            .prefix(range.end.offset - range.start.offset)
        return String(decoding: text, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            .joined(separator: " ")
    }
}
