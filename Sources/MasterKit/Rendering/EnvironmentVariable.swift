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
