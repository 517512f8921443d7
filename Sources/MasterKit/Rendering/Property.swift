/// `!Property NAME`: the value of a property, with its type.
public struct Property: Expression {
    let name: String
    let fallback: RenderTree?
    let replacesFalse: Bool

    /// Names a property.
    ///
    /// - Parameters:
    ///   - name: The property's name.
    ///   - fallback: The value when the property is missing.
    ///   - replacesFalse: Whether the fallback also stands for `0`, `""`, `[]`, `{}`, false and null.
    public init(
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
            self.init(scalar.value)
            return
        }
        let form = PropertyForm()
        guard decoder.fill([form], from: node.untagged, owner: "!Property", at: node.range)
        else { return nil }
        guard Self.isName(form.key, of: node, with: decoder) else { return nil }
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
    public func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
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
