internal import MasterKit

extension ForceForm {
    /// The form in the data API's form.
    func record(isEnabled: Bool) -> JSONObject {
        [
            "all_fields": .array(([general] + codebases + parameters).map { Self.field($0, "") }),
            "builder_names": .array(builders.map { .string($0) }),
            "button_name": .string(button), "enabled": .bool(isEnabled),
            "label": .string(title), "name": .string(name),
        ]
    }

    /// The field of a parameter, whose key begins with a prefix because of the parameters around it.
    private static func field(_ parameter: ForceParameter, _ prefix: String) -> JSONValue {
        let name = prefix + parameter.name
        let isUnnamed = parameter.kind == .nested && parameter.name.isEmpty
        let label = parameter.label ?? parameter.name
        let field: JSONObject = [
            "autopopulate": .null, "default": parameter.fallback ?? parameter.empty,
            "fullName": isUnnamed ? .null : .string(name), "hide": .bool(parameter.kind == .fixed),
            "label": .string(label), "maxsize": .optional(parameter.byteLimit),
            "multiple": .bool(parameter.isMultiple), "name": .string(parameter.name),
            "regex": .optional(parameter.pattern?.text), "required": .bool(parameter.isRequired),
            "tablabel": .string(label), "tooltip": .string(parameter.tooltip ?? ""),
            "type": .string(parameter.type),
        ]
        let inner = isUnnamed ? prefix : name + "_"
        return .object(field.merging(details(of: parameter, inner)).sorted())
    }

    /// What only some types have.
    private static func details(of parameter: ForceParameter, _ prefix: String) -> JSONObject {
        let width = parameter.size?.columns ?? 10
        switch parameter.kind {
        case .string, .int: return ["size": .int(width)]
        case .user: return ["need_email": .bool(parameter.needsAddress), "size": .int(width)]
        case .text: return ["cols": .int(width), "rows": .int(parameter.size?.rows ?? 20)]
        case .choice, .worker:
            return [
                "choices": .array(parameter.choices.map { .string($0) }),
                "strict": .bool(parameter.isStrict),
            ]
        case .nested:
            return [
                "columns": .int(parameter.columns ?? (parameter.fields.count < 4 ? 1 : 2)),
                "fields": .array(parameter.fields.map { field($0, prefix) }),
                "layout": .string(parameter.layout.rawValue),
            ]
        case .bool, .file, .fixed: return [:]
        }
    }
}

extension ForceParameter {
    /// What Buildbot calls the type in the data API.
    fileprivate var type: String {
        switch kind {
        case .string: "text"
        case .text: "textarea"
        case .int: "int"
        case .bool: "bool"
        case .choice, .worker: "list"
        case .user: "username"
        case .file: "file"
        case .fixed: "fixed"
        case .nested: "nested"
        }
    }

    /// The value of a field that has no default.
    fileprivate var empty: JSONValue {
        switch kind {
        case .bool: false
        case .choice where isMultiple: []
        case .worker where !isRequired: .string(Self.anyWorker)
        default: ""
        }
    }
}

extension JSONValue {
    /// A whole number, or the decimal text of one, which stock clients send.
    var wholeNumber: Int? { intValue ?? stringValue.flatMap { Int($0) } }
}
