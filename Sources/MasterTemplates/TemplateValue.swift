internal import MasterJSON

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
