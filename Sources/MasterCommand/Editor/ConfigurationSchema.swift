internal import MasterKit
internal import MasterRuntime

/// The JSON Schema of a whole master.yaml for the plugins of a registry.
///
/// It stays within what draft-07 and 2020-12 have in common, as editors know either of them. A
/// tagged value is what editors take it for: a text, a list or a mapping.
struct ConfigurationSchema {
    private let registry: Registry
    private var definitions = JSONObject()
    /// The names of the definitions of types, which may have the same name.
    private var names: [Form: String] = [:]

    /// A type of settings, whose values may be expressions.
    private struct Form: Hashable {
        let type: ObjectIdentifier
        let isComputed: Bool
    }

    /// The schema as one JSON object.
    static func json(for registry: Registry) -> JSONValue {
        var schema = ConfigurationSchema(registry: registry)
        var root = schema.object(MasterConfiguration.settingDescriptions, isComputed: false)
        root["patternProperties"] = ["^x-": ["description": "Free for anchors."]]
        root["anyOf"] = [["required": ["steps"]], ["required": ["builders"]]]
        var document: JSONObject = [
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "master.yaml",
            "description": "The configuration of a Buildmaster.",
        ]
        document.merge(root)
        document["definitions"] = .object(schema.definitions)
        return .object(document)
    }

    private init(registry: Registry) {
        self.registry = registry
        definitions["expression"] = Self.expression
    }

    /// A value with a tag, as editors see it.
    private static let expression: JSONValue = [
        "description": .string(
            "A value that is computed: "
                + TagDescription.all.map(\.name).joined(separator: ", ")),
        "anyOf": [
            ["type": "string"], ["type": "array"],
            [
                "type": "object", "minProperties": 1, "additionalProperties": false,
                "properties": [
                    "key": text, "name": text, "path": [:], "default": [:],
                    "defaultWhenFalse": ["type": "boolean"],
                ],
            ],
        ],
    ]

    private static let text: JSONValue = ["type": ["string", "number", "boolean"]]
    private static let null: JSONValue = ["type": "null"]

    private static func reference(_ name: String) -> JSONValue {
        ["$ref": .string("#/definitions/\(name)")]
    }

    // MARK: Settings

    /// A mapping of settings.
    private mutating func object(
        _ settings: [SettingDescription], isComputed: Bool
    ) -> JSONObject {
        var properties = JSONObject()
        var required: [JSONValue] = []
        var choices: [JSONValue] = []
        for setting in settings {
            let names = [setting.name] + setting.declaration.aliases
            let value = property(setting, isComputed: isComputed)
            for name in names { properties[name] = value }
            guard setting.declaration.isRequired else { continue }
            if names.count == 1 {
                required.append(.string(setting.name))
            } else {
                choices.append(
                    ["anyOf": .array(names.map { ["required": [.string($0)]] })])
            }
        }
        var object: JSONObject = [
            "type": "object", "properties": .object(properties), "additionalProperties": false,
        ]
        if !required.isEmpty { object["required"] = .array(required) }
        if !choices.isEmpty { object["allOf"] = .array(choices) }
        return object
    }

    private mutating func property(
        _ setting: SettingDescription, isComputed: Bool
    ) -> JSONValue {
        let declaration = setting.declaration
        var property: JSONObject = [
            "description": .string(
                "\(declaration.summary)\n\nTakes \(declaration.shape)."
                    + (declaration.isSecret ? " Hidden where settings are shown." : ""))
        ]
        let value = combined(
            alternatives(setting.form, isComputed: isComputed).map {
                Self.limited($0, to: setting.range)
            })
        // Beside a reference, draft-07 ignores everything.
        if value["$ref"] != nil {
            property["allOf"] = [value]
        } else if let members = value.objectValue {
            property.merge(members)
        }
        if setting.refusesEmpty {
            property.merge(["minLength": 1, "minItems": 1, "minProperties": 1])
        }
        if let value = setting.defaultValue { property["default"] = value }
        if let example = setting.example { property["examples"] = [example] }
        return .object(property)
    }

    /// The schema of a number, or of a list of numbers, that must be in a range.
    private static func limited(_ schema: JSONValue, to range: SettingRange?) -> JSONValue {
        guard let range, var members = schema.objectValue else { return schema }
        if let items = members["items"] {
            members["items"] = limited(items, to: range)
        } else if let parts = members["anyOf"]?.arrayValue {
            members["anyOf"] = .array(parts.map { limited($0, to: range) })
        } else if let type = members["type"], type.contains(any: ["integer", "number"]) {
            func number(_ bound: Double) -> JSONValue {
                Int(exactly: bound).map { .int($0) } ?? .double(bound)
            }
            members["minimum"] = number(range.lowerBound)
            if let bound = range.upperBound { members["maximum"] = number(bound) }
        }
        return .object(members)
    }

    /// One schema for a choice of several.
    private func combined(_ alternatives: [JSONValue]) -> JSONValue {
        if alternatives.contains([:]) { return [:] }
        var types: [JSONValue] = []
        var others: [JSONValue] = []
        for alternative in alternatives {
            guard let object = alternative.objectValue, object.count == 1,
                let type = object["type"]
            else {
                if !others.contains(alternative) { others.append(alternative) }
                continue
            }
            for name in type.arrayValue ?? [type] where !types.contains(name) {
                types.append(name)
            }
        }
        if !types.isEmpty {
            others.insert(["type": types.count == 1 ? types[0] : .array(types)], at: 0)
        }
        return others.count == 1 ? others[0] : ["anyOf": .array(others)]
    }

    // MARK: Forms

    /// The schemas of a form, any of which may match.
    private mutating func alternatives(_ form: ValueForm, isComputed: Bool) -> [JSONValue] {
        let plain = plainAlternatives(form, isComputed: isComputed)
        return isComputed ? plain + [Self.reference("expression")] : plain
    }

    private mutating func plainAlternatives(
        _ form: ValueForm, isComputed: Bool
    ) -> [JSONValue] {
        switch form {
        case .any: [[:]]
        case .text: [Self.text]
        case .boolean: [["type": "boolean"]]
        case .integer: [["type": "integer"]]
        case .number: [["type": "number"]]
        case .choice(let words): [["enum": .array(words.map { .string($0) })]]
        case .list(let item): [list(of: item, isComputed: isComputed)]
        case .mapping(let value):
            [
                [
                    "type": "object",
                    "additionalProperties": combined(alternatives(value, isComputed: isComputed)),
                ]
            ]
        case .settings(let type): settings(type, isComputed: isComputed)
        case .plugin(let namespace): [entry(in: namespace)]
        case .either(let forms): choice(of: forms, isComputed: isComputed)
        case .optional(let form):
            plainAlternatives(form, isComputed: isComputed) + [Self.null]
        case .computed(let form): alternatives(form, isComputed: true)
        }
    }

    private mutating func choice(of forms: [ValueForm], isComputed: Bool) -> [JSONValue] {
        let namespaces = forms.flatMap(\.namespaces)
        return forms.flatMap { form in
            let alternatives = plainAlternatives(form, isComputed: isComputed)
            guard form.namespaces.isEmpty else { return alternatives }
            // What begins like the key of a plugin is one, not another name.
            return namespaces.reduce(alternatives) { alternatives, namespace in
                alternatives.map { alternative in
                    let isKey: JSONValue = ["pattern": .string("^\(namespace.rawValue)\\.")]
                    var members = alternative.objectValue ?? [:]
                    if members["type"] == "object" {
                        members.merge([
                            "minProperties": 1, "maxProperties": 1,
                            "propertyNames": ["not": isKey],
                        ])
                    } else if members["type"]?.arrayValue?.contains("string") == true {
                        // A pattern only applies to texts.
                        members["not"] = .object(
                            (isKey.objectValue ?? [:]).merging(["type": "string"]))
                    }
                    return .object(members)
                }
            }
        }
    }

    private mutating func list(of item: ValueForm, isComputed: Bool) -> JSONValue {
        let namespaces = item.namespaces
        guard let first = namespaces.first else {
            return [
                "type": "array", "items": combined(alternatives(item, isComputed: isComputed)),
            ]
        }
        let isOfSteps = first == PluginKind.steps.namespace
        let names = isOfSteps ? namespaces + [PluginKind.factories.namespace] : namespaces
        let name = "list." + names.map(\.rawValue).joined(separator: ".")
        if definitions[name] == nil {
            // Lists in lists are taken for their items, so that aliases of lists can be combined.
            definitions[name] = .null
            let items = names.map { entry(in: $0) } + [Self.reference(name)]
            definitions[name] = ["type": "array", "items": ["anyOf": .array(items)]]
        }
        return Self.reference(name)
    }

    private mutating func settings(
        _ type: any Settings.Type, isComputed: Bool
    ) -> [JSONValue] {
        let descriptions = type.descriptions
        let form = Form(type: ObjectIdentifier(type), isComputed: isComputed)
        let name = names[form] ?? "settings.\(_typeName(type, qualified: false))-\(names.count + 1)"
        if names.updateValue(name, forKey: form) == nil {
            definitions[name] = .null
            definitions[name] = .object(object(descriptions, isComputed: isComputed))
        }
        return [Self.reference(name)] + loneValues(descriptions, isComputed: isComputed)
    }

    /// What may stand in place of a mapping of settings: a value of the primary one.
    private mutating func loneValues(
        _ settings: [SettingDescription], isComputed: Bool
    ) -> [JSONValue] {
        guard let primary = settings.first(where: \.declaration.isPrimary),
            !settings.contains(where: { $0.declaration.isRequired && $0.name != primary.name })
        else { return [] }
        return alternatives(primary.form, isComputed: isComputed).filter { value in
            // A mapping is always one of settings, and null stands for none of them.
            let isSettings = value["$ref"]?.stringValue?.contains("/settings.") ?? false
            return value["type"] != "object" && value != Self.null && !isSettings
        }
    }

    // MARK: Plugins

    /// One entry of a list of plugins: a key alone, or with settings.
    private mutating func entry(in namespace: PluginNamespace) -> JSONValue {
        let name = "plugin.\(namespace.rawValue)"
        guard definitions[name] == nil else { return Self.reference(name) }
        definitions[name] = .null
        var properties = JSONObject()
        var lone: [JSONValue] = []
        for plugin in registry.entries(in: namespace) {
            let description = plugin.description
            let settings = description.settings + description.options
            let needsSettings = settings.contains(where: \.declaration.isRequired)
            if !needsSettings { lone.append(.string("\(plugin.key)")) }
            let mapping = JSONValue.object(object(settings, isComputed: false))
            let values = [mapping] + loneValues(settings, isComputed: false)
            let known = "\(plugin.key)"
            definitions[known] = combined(needsSettings ? values : values + [Self.null])
            properties[known] = [
                "description": .string(description.summary),
                "allOf": [Self.reference(known)],
            ]
        }
        var forms: [JSONValue] = lone.isEmpty ? [] : [["enum": .array(lone)]]
        if !properties.isEmpty {
            forms.append([
                "type": "object", "minProperties": 1, "maxProperties": 1,
                "properties": .object(properties), "additionalProperties": false,
            ])
        }
        definitions[name] = forms.isEmpty ? ["not": [:]] : combined(forms)
        return Self.reference(name)
    }
}

extension JSONValue {
    /// Whether the type in a schema is, or has among others, one of these.
    fileprivate func contains(any types: Set<String>) -> Bool {
        !types.isDisjoint(with: (arrayValue ?? [self]).compactMap(\.stringValue))
    }
}

extension ValueForm {
    /// The namespaces of the plugins that the form is a choice of; empty for other forms.
    fileprivate var namespaces: [PluginNamespace] {
        switch self {
        case .plugin(let namespace): [namespace]
        case .either(let forms):
            forms.contains { $0.namespaces.isEmpty } ? [] : forms.flatMap(\.namespaces)
        default: []
        }
    }
}
