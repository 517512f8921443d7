internal import MasterPatterns

/// `!Property NAME`: the value of a property, with its type.
package struct Property: Expression {
    let name: String
    let fallback: RenderTree?
    let replacesFalse: Bool

    /// Names a property.
    ///
    /// - Parameters:
    ///   - name: The property's name.
    ///   - fallback: The value when the property is missing.
    ///   - replacesFalse: Whether the fallback also stands for `0`, `""`, `[]`, `{}`, false and null.
    package init(
        _ name: String, default fallback: JSONValue? = nil,
        defaultWhenFalse replacesFalse: Bool = true
    ) {
        self.init(
            name, fallback: fallback.map { .constant(YAMLNode(json: $0)) },
            replacesFalse: replacesFalse)
    }

    /// Reads a name, or a mapping of `key`, `default` and `defaultWhenFalse`.
    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        decoder.requireBuild("!Property", at: node.range)
        if case .scalar(let scalar) = node.kind {
            guard Self.isName(scalar.value, of: node, with: decoder) else { return nil }
            decoder.note(property: scalar.value)
            self.init(scalar.value)
            return
        }
        let form = decoder.read(
            PropertyForm.self, from: node.untagged, owner: "!Property", at: node.range)
        guard let form else { return nil }
        guard Self.isName(form.key, of: node, with: decoder) else { return nil }
        decoder.note(property: form.key)
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

    /// Names a secret.
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

/// `!Env NAME`: the value of an environment variable, read once when the file is loaded.
struct EnvironmentVariable {
    private let name: String
    private let fallback: YAMLNode?
    private let node: YAMLNode

    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        self.node = node
        if case .scalar(let scalar) = node.kind, !scalar.value.isEmpty {
            name = scalar.value
            fallback = nil
            return
        }
        guard case .mapping(let mapping) = node.kind,
            let named = mapping["name"]?.scalarText, !named.isEmpty,
            mapping.entries.allSatisfy({ ["name", "default"].contains($0.key.scalarText) })
        else {
            decoder.error(
                "!Env is written !Env NAME or !Env {name: NAME, default: VALUE}", at: node.range)
            return nil
        }
        name = named
        fallback = mapping["default"]
    }

    /// The variable's value, or the default as it stands in the file, which may be an expression;
    /// a missing variable without default is an error.
    func value(with decoder: SettingDecoder, style: YAMLScalar.Style) -> YAMLNode? {
        decoder.note(environmentVariable: name, at: node.range)
        if let value = decoder.environment[name] {
            return node.replacing(.scalar(YAMLScalar(value, style: style)))
        }
        if let fallback { return fallback }
        return decoder.error(
            "the environment variable \(name) is not set; set it, or write "
                + "!Env {name: \(name), default: …}", at: node.range)
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

/// A regular expression, as in Perl, that was checked when the file was read.
public struct Pattern: SettingValue {
    private let expression: RegularExpression

    /// A regular expression.
    public static var shape: String { "a regular expression" }

    /// Makes a pattern.
    ///
    /// - Throws: What is wrong with it, with its place.
    public init(_ text: String) throws {
        expression = try RegularExpression(text)
    }

    /// Reads a text.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Pattern? {
        guard let text = decoder.decode(String.self, from: node) else { return nil }
        return Pattern(text, at: node, decoder)
    }

    init?(_ tree: RenderTree, _ decoder: SettingDecoder) {
        guard let node = tree.constant, let text = node.scalarText else {
            decoder.error("the regular expression of !Matches is a plain text", at: tree.range)
            return nil
        }
        self.init(text, at: node, decoder)
    }

    private init?(_ text: String, at node: YAMLNode, _ decoder: SettingDecoder) {
        do {
            expression = try RegularExpression(text)
        } catch {
            let last = max(0, text.utf8.count - 1)
            let range = error.offset.flatMap { offset in
                let start = min(offset, last)
                return node.range(ofUTF8: start..<min(start + 1, text.utf8.count))
            }
            decoder.error(
                "'\(text.shortened)' is not a regular expression: \(error)",
                at: range ?? node.range)
            return nil
        }
    }

    /// Whether the pattern is found anywhere in the text.
    ///
    /// - Throws: When the search takes more steps, or more memory, than any search may.
    public func isFound(in text: String) throws(RenderError) -> Bool {
        do {
            return try expression.isFound(in: text)
        } catch {
            throw RenderError("\(error)")
        }
    }
}
