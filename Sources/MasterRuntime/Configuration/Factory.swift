internal import MasterKit
internal import OrderedCollections

/// A build factory: a list of steps, with the parameters that a builder may give it.
struct Factory: SettingValue {
    var steps: [PluginDeclaration<any Step>]
    var parameters = OrderedDictionary<String, FactoryParameter>()

    static var shape: String { "a list of steps, or a mapping of parameters and steps" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Factory? {
        if case .sequence = node.kind {
            return decoder.within(.build) { decoder.plugins(.steps, from: node) }
                .map { Factory(steps: $0) }
        }
        guard case .mapping = node.kind else { return decoder.mismatch(node, expected: shape) }
        let form = FactoryForm()
        guard decoder.fill([form], from: node, owner: decoder.subject, at: node.range) else {
            return nil
        }
        guard let steps = form.steps else {
            return decoder.error("\(decoder.subject) needs 'steps'", at: node.range)
        }
        return Factory(steps: steps, parameters: form.parameters)
    }
}

private struct FactoryForm: Settings {
    @Setting("What a builder may choose.")
    var parameters = OrderedDictionary<String, FactoryParameter>()
    @Setting("The steps.", declarations: .steps, scope: .build)
    var steps: [PluginDeclaration<any Step>]?
}

/// A value that a builder gives to a factory; it arrives as a property.
struct FactoryParameter: Settings, SettingValue {
    @Setting("The value when the builder gives none.", .named("default")) var fallback: JSONValue?
    @Setting("The values that may be given.", .notEmpty) var choices: [JSONValue]?

    static var shape: String { "a mapping of default and choices" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FactoryParameter? {
        let parameter = FactoryParameter()
        guard decoder.fill([parameter], from: node, owner: "the parameter", at: node.range)
        else { return nil }
        if let fallback = parameter.fallback, let fault = parameter.fault(of: fallback) {
            return decoder.error("the default of the parameter \(fault)", at: node.range)
        }
        return parameter
    }

    /// Why a value can't be given, `nil` when it can.
    func fault(of value: JSONValue) -> String? {
        guard let choices, !choices.contains(value) else { return nil }
        let shown = choices.map { $0.text ?? "null" }.joined(separator: ", ")
        return "can't be \(value.text ?? "null"); there are \(shown)"
    }
}

/// `factory` of a builder: a name, or a name with parameters.
struct FactoryReference: SettingValue {
    let name: String
    let arguments: OrderedDictionary<String, JSONValue>
    let range: SourceRange?

    static var shape: String { "the name of a factory, or {NAME: {parameter: value}}" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FactoryReference? {
        if let name = node.scalarText, !node.isNull {
            return FactoryReference(name: name, arguments: [:], range: node.range)
        }
        guard case .mapping(let mapping) = node.kind, mapping.entries.count == 1,
            let entry = mapping.entries.first, let name = entry.key.scalarText
        else { return decoder.mismatch(node, expected: shape) }
        let arguments =
            entry.value.isNull
            ? [:]
            : decoder.decode(OrderedDictionary<String, JSONValue>.self, from: entry.value)
        guard let arguments else { return nil }
        return FactoryReference(name: name, arguments: arguments, range: entry.key.range)
    }
}
