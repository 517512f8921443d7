import MasterKit

/// Names with values, in order, as `params` and `data` take them.
///
/// A mapping or a list of pairs. A list as value repeats its name, null drops it; numbers keep
/// their spelling, booleans are `true` and `false`.
struct FieldPairs: SettingValue {
    let pairs: [HTTPPair]
    /// The names of null values, which are not sent.
    let absentNames: [String]
    /// Whether not even a field without value was written.
    let isEmpty: Bool

    static var shape: String { "a mapping, or a list of pairs [name, value]" }

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

/// The values of one name: one for a scalar, several for a list; each may be null.
private struct FieldValues: SettingValue {
    let texts: [String?]

    static var shape: String { "a text, a number, true, false, null or a list of these" }

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
