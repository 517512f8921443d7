/// `!Secret NAME`: the value of a secret, fetched before the first build.
public struct Secret: Expression {
    let name: String

    /// Names a secret.
    public init(_ name: String) {
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
    public func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        guard let value = context.secrets[name] else {
            throw RenderError(
                "no provider of secrets has '\(name)'; check 'secrets' in master.yaml")
        }
        return .string(value)
    }
}
