internal import MasterJSON

/// What an expression of a template has come to.
struct TemplateValue {
    /// What a filter has made of a value.
    enum Form {
        /// A value, which is escaped where it is inserted.
        case value
        /// Text that `escape` has escaped for HTML.
        case html
        /// JSON that the filter `json` has written.
        case json
        /// Text that is inserted as it is, by the filter `safe`.
        case raw
    }

    /// The value, or `nil` when it is missing.
    var json: JSONValue?
    /// What the value was made into by a filter.
    var form = Form.value
    /// The name of the secret that the value was made from, when a mask would not find it any more.
    var secret: String?

    init(_ json: JSONValue?, form: Form = .value, secret: String? = nil) {
        self.json = json
        self.form = form
        self.secret = secret
    }

    /// Whether the value is inserted into HTML as it is.
    var isSafe: Bool { form == .html || form == .raw }

    /// The value, which is JSON when another one was: for a filter that changes only space.
    func keepingJSON(of other: TemplateValue) -> TemplateValue {
        TemplateValue(json, form: other.form == .json ? .json : .value, secret: secret)
    }

    /// How the value reads in the rendered text; what is missing or null reads as nothing.
    var text: String {
        json?.text ?? ""
    }

    var isTruthy: Bool {
        json?.isTruthy ?? false
    }

    /// Whether the value is a text, of whose parts a mask knows nothing.
    var isText: Bool { json?.stringValue != nil }

    /// The member of a value under a key or at an index.
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

    /// What every list, mapping and text has: `first`, `last` and `count`.
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

    /// The text with everything escaped that means something in HTML.
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
