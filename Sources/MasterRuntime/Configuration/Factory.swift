internal import MasterKit

/// `factories`: build factories by name, each decoded separately.
struct FactoryTable: SettingValue {
    /// The names of all factories, including invalid ones.
    var names: [String] = []
    private var factories = ExactDictionary<Factory>()

    init() {}

    static var shape: String { "a mapping of names to lists of steps" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FactoryTable? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        var table = FactoryTable()
        for entry in mapping.entries {
            guard let name = decoder.decode(String.self, from: entry.key) else { continue }
            table.names.append(name)
            table.factories[name] = decoder.about("the factory '\(name)'") {
                decoder.decode(Factory.self, from: entry.value)
            }
        }
        return table
    }

    /// The factory with a name, or `nil` if there is none or it is invalid.
    subscript(name: String) -> Factory? { factories[name] }
}

/// A build factory: a list of steps, with the parameters that a builder may set.
struct Factory: SettingValue {
    var steps: [StepDeclaration]
    var parameters = FactoryParameters()

    static var shape: String { "a list of steps, or a mapping of parameters and steps" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Factory? {
        if case .sequence = node.kind {
            return decoder.plugins(.steps, from: node).map { Factory(steps: $0) }
        }
        guard case .mapping = node.kind else { return decoder.mismatch(node, expected: shape) }
        let form = decoder.read(
            FactoryForm.self, from: node, owner: decoder.subject, at: node.range)
        guard let form else { return nil }
        guard let steps = form.steps else {
            return decoder.error("\(decoder.subject) needs 'steps'", at: node.range)
        }
        return Factory(steps: steps, parameters: form.parameters)
    }
}

private struct FactoryForm: Settings {
    @Setting("The parameters that a builder can set.") var parameters = FactoryParameters()
    @Setting("The steps.", declarations: .steps)
    var steps: [StepDeclaration]?
}

/// The parameters of a factory by name.
struct FactoryParameters: SettingValue {
    var byName = ExactDictionary<FactoryParameter>()

    static var shape: String { "a mapping of names to parameters" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FactoryParameters? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        var parameters = FactoryParameters()
        for entry in mapping.entries {
            decoder.checkProperty(entry.key)
            guard let name = decoder.decode(String.self, from: entry.key) else { continue }
            parameters.byName[name] = decoder.about("the parameter '\(name)'") {
                decoder.decode(FactoryParameter.self, from: entry.value)
            }
        }
        return parameters.byName.count == mapping.entries.count ? parameters : nil
    }
}

/// A parameter of a factory; its value becomes a property.
struct FactoryParameter: Settings, SettingValue {
    @Setting("The default value.", .named("default")) var fallback: JSONValue?
    @Setting("The allowed values.", .notEmpty) var choices: [JSONValue]?

    static var shape: String { "a mapping of default and choices" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FactoryParameter? {
        let owner = decoder.subject
        let parameter = decoder.read(
            FactoryParameter.self, from: node, owner: owner, at: node.range)
        guard let parameter else { return nil }
        if let fallback = parameter.fallback, let fault = parameter.fault(of: fallback) {
            let range = node.mapping?["default"]?.range ?? node.range
            return decoder.error("the default of \(owner) \(fault)", at: range)
        }
        return parameter
    }

    /// Why a value is not allowed, or `nil` if it is.
    func fault(of value: JSONValue) -> String? {
        guard let choices, !choices.contains(value) else { return nil }
        return Suggestion.fault(of: value, among: choices)
    }
}

/// `factory` of a builder: a name, or a name with parameters.
struct FactoryReference: SettingValue {
    /// A value for a parameter.
    struct Argument {
        let name: String
        let value: JSONValue
        let nameRange: SourceRange?
        let valueRange: SourceRange?
    }

    let name: String
    let arguments: [Argument]
    let range: SourceRange?

    static var shape: String { "the name of a factory, or {NAME: {parameter: value}}" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FactoryReference? {
        if let name = node.scalarText, !node.isNull {
            return FactoryReference(name: name, arguments: [], range: node.range)
        }
        guard case .mapping(let mapping) = node.kind, mapping.entries.count == 1,
            let entry = mapping.entries.first, let name = entry.key.scalarText
        else { return decoder.mismatch(node, expected: shape) }
        guard let arguments = arguments(of: entry.value, with: decoder) else { return nil }
        return FactoryReference(name: name, arguments: arguments, range: entry.key.range)
    }

    private static func arguments(of node: YAMLNode, with decoder: SettingDecoder) -> [Argument]? {
        if node.isNull { return [] }
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        return mapping.entries.compactMap { entry in
            decoder.warnOfVersion(entry.value, of: entry.key)
            guard let name = decoder.decode(String.self, from: entry.key),
                let value = decoder.decode(JSONValue.self, from: entry.value)
            else { return nil }
            return Argument(
                name: name, value: value, nameRange: entry.key.range,
                valueRange: entry.value.range)
        }
    }
}
