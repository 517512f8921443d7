import MasterKit

extension Extraction {
    /// What was found in an answer.
    struct Findings {
        /// The properties with their values.
        var values: [(property: String, value: JSONValue)] = []
        /// The properties without a value, each with what is there instead.
        var missing: [(property: String, reason: String)] = []
        /// Whether a secret was not found, which may stand somewhere else in the answer.
        var lacksSecret = false
    }

    /// Looks for every value in an answer, and hides those that are secret.
    func findings(in answer: HTTPExchange, hidingSecretsWith mask: SecretMask) -> Findings {
        var findings = Findings()
        let body = needsBody ? AnswerBody(answer.body) : nil
        for rule in rules {
            let found = Self.look(for: rule, in: answer, body).flatMap { value in
                Self.check(value, of: rule, hidingSecretsWith: mask)
            }
            switch found {
            case .success(let value): findings.values.append((rule.property, value))
            case .failure(let miss):
                findings.missing.append((rule.property, miss.reason))
                if rule.isSecret { findings.lacksSecret = true }
            }
        }
        return findings
    }

    /// Refuses a value that is too large for a property, and hides one that is secret.
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
                return .failure(Miss("a secret is a text or a number, and there is \(kind)"))
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

/// Why a value is not there.
private struct Miss: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// The body of an answer, read as JSON once for all pointers.
private enum AnswerBody {
    case json(JSONValue)
    case other(String)

    private static let shownCount = 60

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
            self = .other("the body is no JSON: \(error)")
        }
    }

    /// The value at a pointer; what is there instead is shown unless it may be secret.
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

    /// Says how far the pointer leads, and what is there.
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

    /// What a value is, in words that show nothing of it.
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

    /// A value in words; nothing is shown in part, since a part of a secret could not be masked.
    private static func wording(_ value: JSONValue) -> String {
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
