import MasterKit

/// The setting `extract`: build properties taken from the response.
struct Extraction: SettingValue {
    let rules: [Rule]

    /// A property and the source of its value.
    struct Rule: Sendable {
        let property: String
        let place: Place
        /// Whether to hide the value before any of the response is logged.
        let isSecret: Bool
    }

    /// A part of a response.
    enum Place: Sendable {
        case json(JSONPointer)
        case header(String)
        case status
    }

    /// Whether the body is needed, for a value in it or because secrets must be known before it is
    /// logged.
    var needsBody: Bool {
        rules.contains { if case .json = $0.place { true } else { $0.isSecret } }
    }

    /// Whether any value is secret.
    var hasSecrets: Bool {
        rules.contains(where: \.isSecret)
    }

    static var shape: String {
        "a mapping of properties to {json: /pointer}, {header: name} or {status: true}"
    }

    static var form: ValueForm { .mapping(of: Finding.form) }

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

/// The source of a value, and whether it is secret.
private struct Finding: SettingValue {
    let place: Extraction.Place
    let isSecret: Bool

    static var shape: String { "{json: /pointer}, {header: name} or {status: true}" }

    static var form: ValueForm { .settings(FindingForm.self) }

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
            return decoder.error("a status is not a secret; omit 'secret'", at: secret.range)
        }
        return Finding(place: place, isSecret: isSecret)
    }
}

/// The places of a value, of which one is given.
private struct FindingForm: Settings {
    @Setting("A JSON pointer into the body.") var json: String?
    @Setting("The name of a header.") var header: String?
    @Setting("True for the status.") var status: Bool?
    @Setting("Whether the value is a secret, which is masked from then on.") var secret = false
}

extension Extraction.Place {
    /// Parses an entry of a mapping.
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
                "unknown source '\(kind)'; \(remedy)", at: entry.key.range)
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
                "'status' takes true; omit the property", at: node.range)
        }
        return .status
    }
}

extension Extraction {
    /// The values found in a response.
    struct Findings {
        /// The properties and their values.
        var values: [(property: String, value: JSONValue)] = []
        /// The properties without a value, each with the reason.
        var missing: [(property: String, reason: String)] = []
        /// Whether a secret was not found; it may be elsewhere in the response.
        var lacksSecret = false
        /// Whether a secret was found that can't be hidden.
        var hasOpenSecret = false
    }

    /// Extracts all values from a response and hides those that are secret.
    func findings(in answer: HTTPExchange, hidingSecretsWith mask: SecretMask) -> Findings {
        var findings = Findings()
        let body = needsBody ? AnswerBody(answer.body) : nil
        for rule in rules {
            let value = Self.look(for: rule, in: answer, body)
            let found = value.flatMap { Self.check($0, of: rule, hidingSecretsWith: mask) }
            switch found {
            case .success(let value): findings.values.append((rule.property, value))
            case .failure(let miss):
                findings.missing.append((rule.property, miss.reason))
                guard rule.isSecret else { continue }
                findings.lacksSecret = true
                if case .success = value { findings.hasOpenSecret = true }
            }
        }
        return findings
    }

    /// Rejects a value that is too large for a property, and hides one that is secret.
    private static func check(
        _ value: JSONValue, of rule: Rule, hidingSecretsWith mask: SecretMask
    ) -> Result<JSONValue, Miss> {
        do {
            try Properties.check(value, of: rule.property)
            guard rule.isSecret else { return .success(value) }
            switch value {
            case .string(let text): try mask.hide(text, as: rule.property)
            case .number(let number): try mask.hide(number.spelling, as: rule.property)
            default:
                let kind = AnswerBody.kind(of: value)
                return .failure(Miss("a secret must be a text or a number, but this is \(kind)"))
            }
            return .success(value)
        } catch {
            return .failure(Miss("\(error)"))
        }
    }

    private static func look(
        for rule: Rule, in answer: HTTPExchange, _ body: AnswerBody?
    ) -> Result<JSONValue, Miss> {
        switch rule.place {
        case .status: return .success(.int(answer.status))
        case .header(let name):
            let values = answer.headers.values(name)
            guard !values.isEmpty else { return .failure(Miss("there is no header \(name)")) }
            return .success(.string(values.joined(separator: ", ")))
        case .json(let pointer):
            return body?.value(at: pointer, showsTexts: !rule.isSecret)
                ?? .failure(Miss("the body is not kept"))
        }
    }
}

/// Why a value was not found.
struct Miss: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// The body of a response, parsed as JSON once for all pointers.
enum AnswerBody {
    case json(JSONValue)
    case other(String)

    static let shownCount = 60

    init(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else {
            self = .other("the body is empty")
            return
        }
        var parser = JSONParser()
        parser.maximumByteCount = max(parser.maximumByteCount, bytes.count)
        do {
            self = .json(try parser.parse(bytes))
        } catch {
            self = .other("the body is not valid JSON: \(error)")
        }
    }

    /// The value at a pointer, or the reason why there is none, which shows strings only if
    /// allowed.
    func value(at pointer: JSONPointer, showsTexts: Bool) -> Result<JSONValue, Miss> {
        switch self {
        case .other(let reason): .failure(Miss(reason))
        case .json(let whole):
            if let value = whole.at(pointer) {
                .success(value)
            } else {
                .failure(Miss(Self.reason(whole, pointer, showsTexts)))
            }
        }
    }

    /// Describes how far the pointer exists and what is there.
    private static func reason(
        _ whole: JSONValue, _ pointer: JSONPointer, _ showsTexts: Bool
    ) -> String {
        var (path, value) = (JSONPointer(tokens: []), whole)
        for count in 1..<max(1, pointer.tokens.count) {
            let longer = JSONPointer(tokens: Array(pointer.tokens.prefix(count)))
            guard let next = whole.at(longer) else { break }
            (path, value) = (longer, next)
        }
        let place = path.tokens.isEmpty ? "the body" : "\(path)"
        let isText = value.stringValue != nil
        let words = isText && !showsTexts ? kind(of: value) : wording(value)
        return "there is nothing at \(pointer); \(place) is \(words)"
    }

    /// The kind of a value as text, without its content.
    static func kind(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "a mapping"
        }
    }

    /// A value as text; never shows part of a string, since part of a secret could not be masked.
    static func wording(_ value: JSONValue) -> String {
        switch value {
        case .null: return "null"
        case .bool(let flag): return "\(flag)"
        case .number: return "a number"
        case .string(let text):
            return text.count > shownCount ? "a long text" : "the text '\(text)'"
        case .array(let items):
            return items.isEmpty ? "an empty list" : "a list of \(items.count), from /0 on"
        case .object(let object):
            let names = object.keys.filter { $0.count <= shownCount }.prefix(10)
            guard !names.isEmpty else { return "an empty mapping" }
            let more = object.count > names.count ? ", …" : ""
            return "a mapping of " + names.joined(separator: ", ") + more
        }
    }
}
