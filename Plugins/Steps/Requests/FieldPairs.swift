import MasterKit

/// Names and values, in order, for `params` and `data`.
///
/// Written as a mapping or a list of pairs. A list value repeats its name, null omits it; numbers
/// keep their spelling, booleans are `true` and `false`.
struct FieldPairs: SettingValue {
    let pairs: [HTTPPair]
    /// The names of null values, which are not sent.
    let absentNames: [String]
    /// Whether there are no fields at all, not even null ones.
    let isEmpty: Bool

    static var shape: String { "a mapping, or a list of pairs [name, value]" }

    static var form: ValueForm {
        .either([.mapping(of: FieldValues.form), .list(of: .list(of: .any))])
    }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FieldPairs? {
        let fields: [FieldPair?]
        switch node.kind {
        case .mapping(let mapping):
            fields = mapping.entries.map { FieldPair($0.key, $0.value, decoder) }
        case .sequence(let items):
            fields = items.map { decoder.decode(FieldPair.self, from: $0) }
        case .scalar:
            return decoder.mismatch(node, expected: shape)
        }
        let present = fields.compactMap(\.self)
        guard present.count == fields.count else { return nil }
        return FieldPairs(
            pairs: present.flatMap(\.pairs), absentNames: present.flatMap(\.absentNames),
            isEmpty: fields.isEmpty)
    }
}

/// One name with its values.
private struct FieldPair: SettingValue {
    let name: String
    let values: [String?]

    var pairs: [HTTPPair] { values.compactMap(\.self).map { HTTPPair(name, $0) } }
    var absentNames: [String] { values.filter { $0 == nil }.map { _ in name } }

    static var shape: String { "a pair [name, value]" }

    static var form: ValueForm { .list(of: .any) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FieldPair? {
        let pair = decoder.about("an item of \(decoder.subject)") {
            decoder.pair(node, shape: shape)
        }
        guard let pair else { return nil }
        return FieldPair(pair.0, pair.1, decoder)
    }

    init?(_ key: YAMLNode, _ value: YAMLNode, _ decoder: SettingDecoder) {
        let name = decoder.decode(String.self, from: key)
        let field = name.map { "the field '\($0)'" } ?? "a field"
        let values = decoder.about("\(field) of \(decoder.subject)") {
            decoder.decode(FieldValues.self, from: value)
        }
        guard let name, let values else { return nil }
        self.name = name
        self.values = values.texts
    }
}

/// The values of a name: one for a scalar, several for a list; each may be null.
private struct FieldValues: SettingValue {
    let texts: [String?]

    static var shape: String { "a text, a number, true, false, null or a list of these" }

    static var form: ValueForm { .optional(.either([.text, .list(of: .optional(.text))])) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FieldValues? {
        guard let items = node.sequence else {
            return text(node, decoder).map { FieldValues(texts: [$0]) }
        }
        let texts = items.map { text($0, decoder) }
        let present = texts.compactMap(\.self)
        guard present.count == texts.count else { return nil }
        return FieldValues(texts: present)
    }

    private static func text(_ node: YAMLNode, _ decoder: SettingDecoder) -> String?? {
        guard node.tag?.name != nil || node.scalar != nil else {
            return decoder.error(
                "\(decoder.subject) must be \(shape), not \(node.wording); 'json' takes nested "
                    + "values", at: node.range)
        }
        return decoder.decode(String?.self, from: node)
    }
}

/// The setting `data`: fields to form-encode, or a text to send unchanged.
enum FormData: SettingValue {
    case fields(FieldPairs)
    case text(String)

    static var shape: String { "a mapping, a list of pairs [name, value], or a text" }

    static var form: ValueForm { .either([.text, FieldPairs.form]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FormData? {
        guard node.scalar == nil else {
            return decoder.decode(String.self, from: node).map { .text($0) }
        }
        return decoder.decode(FieldPairs.self, from: node).map { .fields($0) }
    }

    /// The body if there are no files.
    var body: HTTPBody {
        switch self {
        case .fields(let fields): fields.isEmpty ? .empty : .form(fields.pairs)
        case .text(let text): text.isEmpty ? .empty : .text(text)
        }
    }
}

/// The setting `cookies`: names and values; null omits one.
struct RequestCookies: SettingValue {
    let pairs: [HTTPPair]

    static var shape: String { "a mapping of cookie names to texts" }

    static var form: ValueForm { .mapping(of: .optional(.text)) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> RequestCookies? {
        guard let entries = node.mapping?.entries else {
            return decoder.mismatch(node, expected: shape)
        }
        let cookies = entries.map { pair($0, decoder) }
        let present = cookies.compactMap(\.self)
        guard present.count == cookies.count else { return nil }
        return RequestCookies(pairs: present.compactMap(\.self))
    }

    private static func pair(_ entry: YAMLMapping.Entry, _ decoder: SettingDecoder) -> HTTPPair?? {
        let name = decoder.decode(String.self, from: entry.key)
        let value = decoder.about(name.map { "the cookie '\($0)'" } ?? "a cookie") {
            decoder.decode(String?.self, from: entry.value)
        }
        guard let name, let value else { return nil }
        guard let value else { return .some(nil) }
        guard !name.isEmpty, !(name + value).contains(where: isForbidden), !name.contains("=")
        else {
            return decoder.error(
                "the cookie '\(name)' has a character that cookies can't have, such as a "
                    + "semicolon or a line end; encode it", at: entry.key.range)
        }
        return HTTPPair(name, value)
    }

    private static func isForbidden(_ character: Character) -> Bool {
        character == ";"
            || character.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
    }
}
