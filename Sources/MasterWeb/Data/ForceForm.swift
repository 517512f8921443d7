internal import MasterKit
internal import MasterRuntime

/// The form with which a person forces the builds of a scheduler.
struct ForceForm {
    /// The values that a person has entered, or what is wrong with them by field.
    enum Outcome {
        case request(BuildsetRequest)
        case faults(JSONObject)
    }

    /// The source of the properties that the form sets.
    private static let source = "Force Build Form"
    private static let stampFields = ["branch", "project", "repository", "revision"]

    private let scheduler: SchedulerDeclaration
    private let parameters: [ForceParameter]
    private let title: String
    private let button: String

    /// Fails if people cannot force the builds of a scheduler.
    init?(_ scheduler: SchedulerDeclaration) {
        guard let plugin = scheduler.plugin as? any ForcedScheduler else { return nil }
        self.scheduler = scheduler
        parameters = plugin.parameters
        title = plugin.formTitle ?? scheduler.name
        button = plugin.buttonText ?? scheduler.name
    }

    /// The names of its builders.
    var builders: [String] { scheduler.options.builderNames.map(\.name) }

    // MARK: Values

    /// Checks the values of a form and makes a request of them.
    ///
    /// - Parameters:
    ///   - values: The values by the full name of their field.
    ///   - builders: The builders to build, of those of the scheduler.
    ///   - sender: Who forces the builds.
    /// - Returns: The request, or what is wrong.
    func request(
        _ values: JSONObject, of builders: [String], by sender: DataSender
    ) -> Outcome {
        var faults = JSONObject()
        var properties = Properties()
        for parameter in parameters {
            switch Self.value(of: values[parameter.name], for: parameter) {
            case .success(let value?): properties.set(parameter.name, value, source: Self.source)
            case .success(nil): break
            case .failure(let fault): faults[parameter.name] = .string(fault.text)
            }
        }
        func text(_ name: String) -> String? {
            guard let value = values[name], !value.isNull else { return nil }
            if let text = value.stringValue { return text.isEmpty ? nil : text }
            faults[name] = "must be a text"
            return nil
        }
        let owner = sender.isAnonymous ? text("username") ?? "" : sender.name
        let reason = text("reason") ?? "force build"
        properties.set("reason", .string(reason), source: Self.source)
        properties.set("owner", .string(owner), source: Self.source)
        var stamp = SourceStamp(branch: text("branch"), revision: text("revision"))
        stamp.repository = text("repository") ?? ""
        stamp.project = text("project") ?? ""
        let priority = values["priority"].flatMap { $0 == "" ? nil : $0 }
        if let priority, priority.wholeNumber == nil {
            faults["priority"] = "must be a whole number"
        }
        guard faults.isEmpty else { return .faults(faults) }
        var request = scheduler.completing(
            BuildsetRequest(
                reason: "A build was forced by '\(owner)': \(reason)", sourceStamps: [stamp],
                properties: properties))
        request.builders = builders
        request.priority = priority?.wholeNumber ?? request.priority
        return .request(request)
    }

    private struct Fault: Error {
        let text: String
    }

    private static let missing = Fault(text: "needs a value")

    private static func value(
        of given: JSONValue?, for parameter: ForceParameter
    ) -> Result<JSONValue?, Fault> {
        guard parameter.kind != .fixed else { return .success(parameter.fallback) }
        guard let given, !given.isNull else {
            let isMissing = parameter.isRequired && parameter.fallback == nil
            return isMissing ? .failure(missing) : .success(parameter.fallback)
        }
        if given == "" {
            guard !parameter.isRequired else { return .failure(missing) }
            // An emptied field is an empty text; other types have no such value.
            let isText = parameter.kind == .string || parameter.kind == .text
            return .success(isText ? "" : parameter.fallback)
        }
        let value = parameter.value(of: given)
        if let fault = parameter.fault(of: value) { return .failure(Fault(text: fault)) }
        return .success(value)
    }

    // MARK: Fields

    /// The form in the data API's form.
    func record(isEnabled: Bool) -> JSONObject {
        let general = [
            Self.field(
                "username", "username", label: "Your name:", default: "",
                [
                    "need_email": false, "size": 30,
                ]),
            Self.field("reason", "text", label: "reason", default: "force build", ["size": 20]),
            Self.field(
                "priority", "int", label: "priority", default: .int(scheduler.options.priority),
                ["size": 10]),
        ]
        let stamp = Self.stampFields.map { name in
            Self.field(
                name, "text", label: name.prefix(1).uppercased() + name.dropFirst() + ":",
                default: "", ["size": 10])
        }
        // A parameter can stand in for one, such as a choice of branches.
        let names = Set(parameters.map(\.name))
        func remaining(_ fields: [JSONValue]) -> JSONValue {
            Self.group(fields.filter { !names.contains($0["name"]?.stringValue ?? "") })
        }
        return [
            "all_fields": .array(
                [remaining(general), remaining(stamp)] + parameters.map(Self.field)),
            "builder_names": .array(builders.map { .string($0) }),
            "button_name": .string(button), "enabled": .bool(isEnabled),
            "label": .string(title), "name": .string(scheduler.name),
        ]
    }

    private static func group(_ fields: [JSONValue]) -> JSONValue {
        field(
            "", "nested", label: "", default: "",
            ["columns": 1, "fields": .array(fields), "fullName": .null, "layout": "vertical"])
    }

    private static func field(_ parameter: ForceParameter) -> JSONValue {
        let (type, more): (String, JSONObject) =
            switch parameter.kind {
            case .string: ("text", ["size": 10])
            case .text: ("textarea", ["cols": 80, "rows": 20])
            case .int: ("int", ["size": 10])
            case .bool: ("bool", [:])
            case .fixed: ("fixed", ["hide": true])
            case .choice:
                (
                    "list",
                    [
                        "choices": .array(parameter.choices.map { .string($0) }),
                        "strict": .bool(parameter.isStrict),
                    ]
                )
            }
        let empty: JSONValue = parameter.kind == .bool ? false : ""
        return field(
            parameter.name, type, label: parameter.label ?? parameter.name,
            default: parameter.fallback ?? empty, isRequired: parameter.isRequired, more)
    }

    private static func field(
        _ name: String, _ type: String, label: String, default fallback: JSONValue,
        isRequired: Bool = false, _ more: JSONObject
    ) -> JSONValue {
        let field: JSONObject = [
            "autopopulate": .null, "default": fallback, "fullName": .string(name), "hide": false,
            "label": .string(label), "maxsize": .null, "multiple": false, "name": .string(name),
            "regex": .null, "required": .bool(isRequired), "tablabel": .string(label),
            "tooltip": "", "type": .string(type),
        ]
        return .object(field.merging(more).sorted())
    }
}

extension JSONValue {
    /// A whole number, or the decimal text of one, which stock clients send.
    var wholeNumber: Int? { intValue ?? stringValue.flatMap { Int($0) } }
}
