internal import MasterKit

/// `factories`: build factories by name, each decoded separately.
struct FactoryTable: SettingValue {
    /// The names of all factories, including invalid ones.
    var names: [String] = []
    private var factories = ExactDictionary<Factory>()
    /// The factories that others extend.
    private var bases: [String: String] = [:]

    init() {}

    static var shape: String { "a mapping of names to lists of steps" }

    static var form: ValueForm { .mapping(of: Factory.form) }

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
        for name in table.factories.keys { table.extend(name, decoder) }
        return table
    }

    /// Gives a factory the steps and parameters of those that it extends.
    private mutating func extend(_ name: String, _ decoder: SettingDecoder, in path: [String] = [])
    {
        guard var factory = factories[name], let base = factory.base else { return }
        factory.base = nil
        factories[name] = nil
        defer { factories[name] = factory }
        guard !(path + [name]).contains(base.name) else {
            let names = (path + [name, base.name]).map { "'\($0)'" }
            return decoder.error(
                "the factories extend each other: \(names.joined(separator: " extends "))",
                at: base.range)
        }
        guard names.contains(base.name) else {
            let remedy = Suggestion.remedy(for: base.name, among: names.filter { $0 != name })
            return decoder.error("there is no factory '\(base.name)'; \(remedy)", at: base.range)
        }
        extend(base.name, decoder, in: path + [name])
        bases[name] = base.name
        guard let extended = factories[base.name] else { return }
        factory.steps = extended.steps + factory.steps
        var parameters = extended.parameters
        for (name, parameter) in factory.parameters.byName {
            parameters.byName[name] = parameter
        }
        factory.parameters = parameters
    }

    /// The names of factories with those that they extend, directly or not.
    func withBases(_ names: Set<String>) -> Set<String> {
        var (all, open) = (names, Array(names))
        while let next = open.popLast() {
            if let base = bases[next], all.insert(base).inserted { open.append(base) }
        }
        return all
    }

    /// The factory with a name, or `nil` if there is none or it is invalid.
    subscript(name: String) -> Factory? { factories[name] }
}

/// A build factory: a list of steps, with the parameters that a builder may set.
struct Factory: SettingValue {
    var steps: [StepDeclaration]
    var parameters = FactoryParameters()
    /// The factory that it extends, until its steps have been added.
    var base: BaseFactory?

    static var shape: String { "a list of steps, or a mapping of parameters and steps" }

    static var form: ValueForm {
        .either([
            .list(of: .plugin(PluginKind.steps.namespace)), .settings(FactoryForm.self),
        ])
    }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Factory? {
        if case .sequence = node.kind {
            return decoder.plugins(.steps, from: node).map { Factory(steps: $0) }
        }
        guard case .mapping = node.kind else { return decoder.mismatch(node, expected: shape) }
        let form = decoder.read(
            FactoryForm.self, from: node, owner: decoder.subject, at: node.range)
        guard let form else { return nil }
        guard let steps = form.steps ?? (form.extends == nil ? nil : []) else {
            return decoder.error("\(decoder.subject) needs 'steps'", at: node.range)
        }
        return Factory(
            steps: (form.extends?.steps ?? []) + steps, parameters: form.parameters,
            base: form.extends?.steps == nil ? form.extends : nil)
    }
}

/// `extends` of a factory: the name of another one, or a ready-made factory with its settings.
struct BaseFactory: SettingValue {
    let name: String
    let range: SourceRange?
    /// The steps of a ready-made factory.
    var steps: [StepDeclaration]?

    static var shape: String { "the name of a factory, or {factories.NAME: settings}" }

    static var form: ValueForm { .either([.text, .plugin(PluginKind.factories.namespace)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BaseFactory? {
        if let steps = decoder.readyMadeSteps(of: node) {
            return steps.map { BaseFactory(name: "", range: node.range, steps: $0) }
        }
        guard let name = node.scalarText, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        return BaseFactory(name: name, range: node.range)
    }
}

extension SettingDecoder {
    /// The steps of a ready-made factory; the outer `nil` means that the node names none, the inner
    /// one that there are mistakes, which have been reported.
    func readyMadeSteps(of node: YAMLNode) -> [StepDeclaration]?? {
        let key = node.mapping?.entries.first?.key ?? node
        let prefix = PluginKind.factories.namespace.rawValue + "."
        guard key.scalarText?.hasPrefix(prefix) == true else { return nil }
        return .some(plugins(.steps, from: node.replacing(.sequence([node]))))
    }
}

private struct FactoryForm: Settings {
    @Setting("The factory whose steps and parameters come first.") var extends: BaseFactory?
    @Setting("The parameters that a builder can set.") var parameters = FactoryParameters()
    @Setting("The steps.", declarations: .steps)
    var steps: [StepDeclaration]?
}

/// The parameters of a factory by name.
struct FactoryParameters: SettingValue {
    var byName = ExactDictionary<FactoryParameter>()

    static var shape: String { "a mapping of names to parameters" }

    static var form: ValueForm { .mapping(of: .optional(FactoryParameter.form)) }

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
    /// The steps of a ready-made factory.
    var steps: [StepDeclaration]?

    static var shape: String { "the name of a factory, or {NAME: {parameter: value}}" }

    static var form: ValueForm {
        .either([
            .text, .plugin(PluginKind.factories.namespace),
            .mapping(of: .optional(.mapping(of: .any))),
        ])
    }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FactoryReference? {
        if let steps = decoder.readyMadeSteps(of: node) {
            let key = node.mapping?.entries.first?.key ?? node
            return steps.map {
                FactoryReference(
                    name: key.scalarText ?? "", arguments: [], range: node.range, steps: $0)
            }
        }
        if let name = node.scalarText, !node.isNull {
            return FactoryReference(name: name, arguments: [], range: node.range)
        }
        let entries = node.mapping?.entries ?? []
        guard node.sequence == nil, entries.count != 1 || entries[0].value.sequence == nil else {
            return decoder.error(
                "\(decoder.subject) is a list; a builder has its list of steps in 'steps'",
                at: node.range)
        }
        guard entries.count == 1, let entry = entries.first, let name = entry.key.scalarText
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
