package import MasterJSON

/// The filters, with their names and arguments.
enum TemplateFilter: String, Sendable, Hashable, CaseIterable {
    case abs
    case capitalize
    case date
    case `default`
    case duration
    case escape
    case first
    case indent
    case int
    case items
    case join
    case json
    case last
    case length
    case list
    case lowercase
    case map
    case replace
    case reverse
    case round
    case safe
    case sort
    case split
    case string
    case title
    case trim
    case truncate
    case unique
    case uppercase
    case urlencode

    /// Returns the filter with a name, including its names in Jinja and Stencil.
    init?(named name: String) {
        switch name {
        case "upper": self = .uppercase
        case "lower": self = .lowercase
        case "count": self = .length
        case "d": self = .default
        case "e": self = .escape
        case "tojson": self = .json
        default: self.init(rawValue: name)
        }
    }

    /// What is wrong with an unknown filter, and how to fix it.
    static func unknown(_ name: String) -> String {
        let remedy: String? =
            switch name {
            case "select", "reject", "selectattr", "rejectattr":
                "write {% for item in list if condition %}"
            case "format": "join texts with ~, as in {{ a ~ \"-\" ~ b }}"
            case "float": "numbers need no filter"
            case "ternary": "write 'a if condition else b'"
            case "wordcount": "write split | length"
            case "pprint": "write json"
            case "strip": "write trim"
            case "strftime", "datetime": "write date:\"%Y-%m-%d\""
            case "quote", "url_encode", "urlquote": "write urlencode"
            case "to_json", "jsonify", "dump": "write json"
            case "dictsort": "write {% for key, value in mapping.items() %}"
            case "groupby", "batch", "slice", "sum", "min", "max", "random",
                "striptags", "xmlattr", "wordwrap", "urlize", "center", "filesizeformat":
                "compute it in a step that sets a property"
            default: nil
            }
        if let remedy { return "unknown filter '\(name)'; \(remedy)" }
        return "unknown filter '\(name)'; known are "
            + allCases.map(\.rawValue).joined(separator: ", ")
    }

    /// Whether a mask still recognizes a secret in the filter's output for a value.
    func keepsSecrets(in value: JSONValue?) -> Bool {
        switch self {
        case .default, .escape, .indent, .items, .join, .json, .length, .map, .safe, .string, .trim:
            true
        case .first, .last, .list, .reverse, .sort, .unique: value?.stringValue == nil
        case .abs, .capitalize, .date, .duration, .int, .lowercase, .replace, .round, .split,
            .title, .truncate, .uppercase, .urlencode:
            false
        }
    }

    /// The number of arguments that the filter takes.
    private var argumentCount: ClosedRange<Int> {
        switch self {
        case .truncate, .map: 1...1
        case .default: 1...2
        case .replace: 2...2
        case .join, .split, .date, .int, .round: 0...1
        case .indent: 0...3
        default: 0...0
        }
    }

    /// The names of the arguments, in order.
    private var argumentNames: [String] {
        switch self {
        case .default: ["default_value", "boolean"]
        case .indent: ["width"]
        case .int: ["default"]
        case .join: ["d"]
        case .map: ["attribute"]
        case .replace: ["old", "new"]
        case .round: ["precision"]
        case .truncate: ["length"]
        case .date: ["format"]
        default: []
        }
    }

    /// The arguments in the filter's order, or `nil` if they are invalid.
    func positioned(_ arguments: [TemplateArgument]) -> [TemplateExpression]? {
        guard argumentCount.contains(arguments.count) else { return nil }
        for (index, argument) in arguments.enumerated() {
            guard let name = argument.name else {
                if self == .map { return nil }
                continue
            }
            guard argumentNames.firstIndex(of: name) == index else { return nil }
        }
        return arguments.map(\.value)
    }

    /// The filter's syntax, for messages.
    var usage: String {
        switch self {
        case .date: "date:\"%Y-%m-%d %H:%M\""
        case .default: "default:\"text\""
        case .indent: "indent:4"
        case .int: "int"
        case .join: "join:\", \""
        case .map: "map(attribute=\"name\")"
        case .replace: "replace(\"old\", \"new\")"
        case .round: "round:2"
        case .sort: "sort, or sort | reverse"
        case .split: "split:\",\""
        case .truncate: "truncate:80"
        default: rawValue
        }
    }
}

/// A method called on a value with a dot, as in Python.
enum TemplateMethod: String, Sendable, Hashable, CaseIterable {
    case capitalize
    case endswith
    case get
    case items
    case join
    case keys
    case lower
    case replace
    case split
    case startswith
    case strip
    case title
    case upper
    case values

    /// The equivalent filter.
    var filter: TemplateFilter? {
        switch self {
        case .capitalize: .capitalize
        case .items: .items
        case .lower: .lowercase
        case .replace: .replace
        case .split: .split
        case .strip: .trim
        case .title: .title
        case .upper: .uppercase
        case .endswith, .get, .join, .keys, .startswith, .values: nil
        }
    }

    var argumentCount: ClosedRange<Int> {
        switch self {
        case .get: 1...2
        case .join, .startswith, .endswith: 1...1
        case .replace: 2...2
        case .split: 0...1
        default: 0...0
        }
    }

    /// The method's syntax, for messages.
    var usage: String {
        switch self {
        case .get: "mapping.get(\"key\", \"default\")"
        case .join: "\", \".join(list)"
        case .replace: "text.replace(\"old\", \"new\")"
        case .split: "text.split(\",\")"
        case .startswith, .endswith: "text.\(rawValue)(\"part\")"
        default: "value.\(rawValue)()"
        }
    }

    /// What is wrong with an unknown method, and how to fix it.
    static func unknown(_ name: String) -> String {
        let remedy =
            switch name {
            case "format": "join texts with ~, as in {{ a ~ \"-\" ~ b }}"
            case "strftime", "isoformat": "write {{ value | date:\"%Y-%m-%d\" }}"
            case "append", "extend", "update": "write {% set list = list + [item] %}"
            case "getProperty": "write properties.NAME"
            case "find", "index", "count": "write {% if \"part\" in text %}"
            default: "known are " + allCases.map(\.rawValue).joined(separator: ", ")
            }
        return "unknown method '.\(name)()'; \(remedy)"
    }
}

/// The value of a template expression.
struct TemplateValue {
    /// The form of a value after filters have been applied.
    enum Form {
        /// A plain value, which is escaped when inserted.
        case value
        /// Text escaped for HTML by `escape`.
        case html
        /// JSON written by the filter `json`.
        case json
        /// Text inserted as is, because of the filter `safe`.
        case raw
    }

    /// The value, or `nil` if it is missing.
    var json: JSONValue?
    /// The form of the value.
    var form = Form.value
    /// The name of the secret from which the value derives, if a mask would no longer recognize it.
    var secret: String?

    init(_ json: JSONValue?, form: Form = .value, secret: String? = nil) {
        self.json = json
        self.form = form
        self.secret = secret
    }

    /// Whether the value is inserted into HTML as is.
    var isSafe: Bool { form == .html || form == .raw }

    /// Returns the value in JSON form if another one has that form: for a filter that only changes
    /// white space.
    func keepingJSON(of other: TemplateValue) -> TemplateValue {
        TemplateValue(json, form: other.form == .json ? .json : .value, secret: secret)
    }

    /// The value as inserted into the output; a missing or null value is an empty string.
    var text: String {
        json?.text ?? ""
    }

    var isTruthy: Bool {
        json?.isTruthy ?? false
    }

    /// Whether the value is a string, in whose parts a mask would not recognize a secret.
    var isText: Bool { json?.stringValue != nil }

    /// The member of a value at a key or index.
    func member(_ key: JSONValue?) -> JSONValue? {
        switch (json, key) {
        case (.object(let object), .some(let key)):
            guard let name = key.text else { return nil }
            return object[name] ?? Self.ownMember(name, of: json)
        case (.array(let array), .number(let number)):
            guard let index = number.intValue, index < array.count, index >= -array.count else {
                return nil
            }
            return array[index < 0 ? array.count + index : index]
        case (.string(let text), .number(let number)):
            guard let index = number.intValue, index < text.count, index >= -text.count else {
                return nil
            }
            let start = index < 0 ? text.endIndex : text.startIndex
            return .string(String(text[text.index(start, offsetBy: index)]))
        case (_, .string(let name)):
            return Self.ownMember(name, of: json)
        default:
            return nil
        }
    }

    /// The built-in members of every list, mapping and string: `first`, `last` and `count`.
    private static func ownMember(_ name: String, of json: JSONValue?) -> JSONValue? {
        switch (name, json) {
        case ("count", .array(let array)): .int(array.count)
        case ("count", .object(let object)): .int(object.count)
        case ("count", .string(let text)): .int(text.count)
        case ("first", .array(let array)): array.first
        case ("last", .array(let array)): array.last
        case ("first", .string(let text)): text.first.map { .string(String($0)) }
        case ("last", .string(let text)): text.last.map { .string(String($0)) }
        default: nil
        }
    }

    /// The string with all HTML special characters escaped.
    static func escapedForHTML(_ text: String) -> String {
        guard text.utf8.contains(where: { "&<>\"'".utf8.contains($0) }) else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension JSONValue {
    /// The member of a name that templates find: that of a mapping, or what every value has, such as
    /// `count`.
    package func templateMember(_ name: String) -> JSONValue? {
        TemplateValue(self).member(.string(name))
    }
}
