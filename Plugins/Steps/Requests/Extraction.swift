import MasterKit

/// The setting `extract`: properties of the build that are taken from the answer.
struct Extraction: SettingValue {
    let rules: [Rule]

    /// One property, and where its value stands.
    struct Rule: Sendable {
        let property: String
        let place: Place
        /// Whether the value is hidden before anything of the answer is written.
        let isSecret: Bool
    }

    /// A part of an answer.
    enum Place: Sendable {
        case json(JSONPointer)
        case header(String)
        case status
    }

    /// Whether a part of the body is wanted, or something that must be known before it is written.
    var needsBody: Bool {
        rules.contains { if case .json = $0.place { true } else { $0.isSecret } }
    }

    /// Whether a value is to be hidden.
    var hasSecrets: Bool {
        rules.contains(where: \.isSecret)
    }

    static var shape: String {
        "a mapping of properties to {json: /pointer}, {header: name} or {status: true}"
    }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Extraction? {
        guard let entries = node.mapping?.entries else {
            return decoder.mismatch(node, expected: shape)
        }
        let rules = entries.map { rule($0, decoder) }
        let present = rules.compactMap(\.self)
        return present.count == rules.count ? Extraction(rules: present) : nil
    }

    private static func rule(_ entry: YAMLMapping.Entry, _ decoder: SettingDecoder) -> Rule? {
        let property = decoder.decode(String.self, from: entry.key)
        let found = decoder.about("'\(property ?? "a property")' of \(decoder.subject)") {
            decoder.decode(Finding.self, from: entry.value)
        }
        guard let property, let found else { return nil }
        guard (1...Properties.maximumNameLength).contains(property.count) else {
            return decoder.error(
                "the name of a property has 1 to \(Properties.maximumNameLength) characters",
                at: entry.key.range)
        }
        return Rule(property: property, place: found.place, isSecret: found.isSecret)
    }
}

/// Where a value stands, and whether it is secret.
private struct Finding: SettingValue {
    let place: Extraction.Place
    let isSecret: Bool

    static var shape: String { "{json: /pointer}, {header: name} or {status: true}" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Finding? {
        guard let mapping = node.mapping else { return decoder.mismatch(node, expected: shape) }
        let places = mapping.entries.filter { $0.key.scalarText != "secret" }
        guard let entry = places.first else { return decoder.mismatch(node, expected: shape) }
        guard places.count == 1 else {
            return decoder.error(
                "\(decoder.subject) names \(places.count) places at once; keep one",
                at: node.range)
        }
        let place = Extraction.Place(entry, with: decoder)
        guard let secret = mapping["secret"] else {
            return place.map { Finding(place: $0, isSecret: false) }
        }
        let isSecret = decoder.about("'secret' of \(decoder.subject)") {
            decoder.decode(Bool.self, from: secret)
        }
        guard let place, let isSecret else { return nil }
        if case .status = place, isSecret {
            return decoder.error("a status is not a secret; leave 'secret' out", at: secret.range)
        }
        return Finding(place: place, isSecret: isSecret)
    }
}

extension Extraction.Place {
    /// Reads what a mapping says of the place.
    fileprivate init?(_ entry: YAMLMapping.Entry, with decoder: SettingDecoder) {
        guard let place = Self.read(entry, decoder) else { return nil }
        self = place
    }

    private static func read(_ entry: YAMLMapping.Entry, _ decoder: SettingDecoder) -> Self? {
        guard let kind = entry.key.scalarText else {
            return decoder.mismatch(entry.key, expected: "json, header or status")
        }
        switch kind {
        case "json": return json(entry.value, decoder)
        case "header": return header(entry.value, decoder)
        case "status": return status(entry.value, decoder)
        default:
            let remedy = Suggestion.remedy(for: kind, among: ["json", "header", "status"])
            return decoder.error(
                "nothing is extracted by '\(kind)'; \(remedy)", at: entry.key.range)
        }
    }

    private static func json(_ node: YAMLNode, _ decoder: SettingDecoder) -> Self? {
        guard let text = decoder.decode(String.self, from: node) else { return nil }
        do {
            return .json(try JSONPointer(parsing: text))
        } catch {
            return decoder.error(error.message, at: node.range)
        }
    }

    private static func header(_ node: YAMLNode, _ decoder: SettingDecoder) -> Self? {
        guard let name = decoder.decode(String.self, from: node) else { return nil }
        do {
            try HTTPHeaders([(name, "")]).validate()
            return .header(name)
        } catch {
            return decoder.error(error.message, at: node.range)
        }
    }

    private static func status(_ node: YAMLNode, _ decoder: SettingDecoder) -> Self? {
        guard let isWanted = decoder.decode(Bool.self, from: node) else { return nil }
        guard isWanted else {
            return decoder.error(
                "'status' takes true; leave the property out to not have it", at: node.range)
        }
        return .status
    }
}
