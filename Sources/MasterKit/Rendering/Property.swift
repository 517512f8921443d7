/// `!Property NAME`: the value of a property, with its type.
package struct Property: Expression {
    let name: String
    let fallback: RenderTree?
    let replacesFalse: Bool

    /// Creates a reference to a property.
    ///
    /// - Parameters:
    ///   - name: The property's name.
    ///   - fallback: The value if the property is missing.
    ///   - replacesFalse: Whether the fallback also replaces `0`, `""`, `[]`, `{}`, false and null.
    package init(
        _ name: String, default fallback: JSONValue? = nil,
        defaultWhenFalse replacesFalse: Bool = true
    ) {
        self.init(
            name, fallback: fallback.map { .constant(YAMLNode(json: $0)) },
            replacesFalse: replacesFalse)
    }

    /// Reads a name, or a mapping with `key`, `default` and `defaultWhenFalse`.
    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        decoder.requireBuild("!Property", at: node.range)
        if case .scalar(let scalar) = node.kind {
            guard Self.isName(scalar.value, of: node, with: decoder) else { return nil }
            decoder.note(property: scalar.value, at: node.contentRange)
            self.init(scalar.value)
            return
        }
        if let items = node.sequence {
            let words = items.compactMap(\.scalarText)
            let (key, value) =
                words.count == 2 && items.count == 2 ? (words[0], words[1]) : ("NAME", "VALUE")
            decoder.error(
                "!Property takes no list; write {key: \(key), default: \(value)}", at: node.range)
            return nil
        }
        let form = decoder.read(
            PropertyForm.self, from: node.untagged, owner: "!Property", at: node.range)
        guard let form else { return nil }
        guard Self.isName(form.key, of: node, with: decoder) else { return nil }
        decoder.note(property: form.key, at: node.untagged.mapping?["key"]?.range ?? node.range)
        self.init(form.key, fallback: form.fallback?.tree, replacesFalse: form.replacesFalse)
    }

    private init(_ name: String, fallback: RenderTree?, replacesFalse: Bool) {
        self.name = name
        self.fallback = fallback
        self.replacesFalse = replacesFalse
    }

    private static func isName(
        _ name: String, of node: YAMLNode, with decoder: SettingDecoder
    ) -> Bool {
        if name.isEmpty || name.count > Properties.maximumNameLength {
            decoder.error(
                "!Property needs the name of a property, as in !Property branch", at: node.range)
            return false
        }
        if name.contains(where: \.isWhitespace) {
            decoder.error(
                "'\(name.shortened)' is not the name of a property; to compare one, write "
                    + "!Equal [!Property NAME, VALUE]; for a default, {key: NAME, default: VALUE}",
                at: node.range)
            return false
        }
        return true
    }

    /// The property's value, or the fallback, or null.
    package func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        let value = context.properties[name]
        guard let fallback else { return value ?? .null }
        if let value, !replacesFalse || value.isTruthy { return value }
        return JSONValue(try fallback.render(in: context))
    }
}

private struct PropertyForm: Settings {
    @Setting("The property's name.") var key: String
    @Setting("The value when it is missing.", .named("default")) var fallback: DeferredValue?
    @Setting("Whether the default stands for false values too.", .named("defaultWhenFalse"))
    var replacesFalse = true
}

/// `!Secret NAME`: the value of a secret, fetched before the first build.
package struct Secret: Expression {
    let name: String

    /// Creates a reference to a secret.
    package init(_ name: String) {
        self.name = name
    }

    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        guard case .scalar(let scalar) = node.kind, !scalar.value.isEmpty else {
            decoder.error(
                "!Secret needs the name of a secret, as in !Secret token", at: node.range)
            return nil
        }
        self.name = scalar.value
        decoder.note(secret: name, at: node.range)
    }

    /// The secret's value.
    package func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        guard let value = context.secrets[name] else {
            throw RenderError(
                "no provider of secrets has '\(name)'; check 'secrets' in master.yaml")
        }
        return .string(value)
    }
}

/// `!FlattenList [a, [b, c]]`: the items of nested lists as one list.
package struct FlattenList: Expression {
    let items: [RenderTree]

    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        let usage = "!FlattenList [item, [item, …], …]"
        guard
            let items = decoder.operands(
                of: node, "FlattenList", count: 0...Int.max, usage: usage)
        else { return nil }
        self.items = items
    }

    /// The flattened list.
    package func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        var result: [JSONValue] = []
        for item in items {
            Self.append(JSONValue(try item.render(in: context)), to: &result)
            guard result.count <= JSONBudget.maximumValues else {
                throw RenderError("the list has more than \(JSONBudget.maximumValues) values")
            }
        }
        return .array(result)
    }

    private static func append(_ value: JSONValue, to result: inout [JSONValue]) {
        guard case .array(let items) = value else {
            result.append(value)
            return
        }
        for item in items { append(item, to: &result) }
    }
}
