import MasterKit

extension Extraction {
    /// What was found in an answer.
    struct Findings {
        /// The properties with their values.
        var values: [(property: String, value: JSONValue)] = []
        /// The properties without a value, each with what is there instead.
        var missing: [(property: String, reason: String)] = []
    }

    /// Looks for every value in an answer.
    func findings(in answer: HTTPExchange) -> Findings {
        var findings = Findings()
        let body = needsBody ? AnswerBody(answer.body) : nil
        for rule in rules {
            switch Self.look(for: rule.place, in: answer, body) {
            case .success(let value): findings.values.append((rule.property, value))
            case .failure(let miss): findings.missing.append((rule.property, miss.reason))
            }
        }
        return findings
    }

    private static func look(
        for place: Place, in answer: HTTPExchange, _ body: AnswerBody?
    ) -> Result<JSONValue, Miss> {
        switch place {
        case .status: return .success(.int(answer.status))
        case .header(let name):
            let values = answer.headers.values(name)
            guard !values.isEmpty else { return .failure(Miss("there is no header \(name)")) }
            return .success(.string(values.joined(separator: ", ")))
        case .json(let pointer):
            return body?.value(at: pointer) ?? .failure(Miss("the body is not kept"))
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

    func value(at pointer: JSONPointer) -> Result<JSONValue, Miss> {
        switch self {
        case .other(let reason): .failure(Miss(reason))
        case .json(let whole):
            if let value = whole.at(pointer) {
                .success(value)
            } else {
                .failure(Miss(Self.reason(whole, pointer)))
            }
        }
    }

    /// Says how far the pointer leads, and what is there.
    private static func reason(_ whole: JSONValue, _ pointer: JSONPointer) -> String {
        var (path, value) = (JSONPointer(tokens: []), whole)
        for count in 1..<max(1, pointer.tokens.count) {
            let longer = JSONPointer(tokens: Array(pointer.tokens.prefix(count)))
            guard let next = whole.at(longer) else { break }
            (path, value) = (longer, next)
        }
        let place = path.tokens.isEmpty ? "the body" : "\(path)"
        return "there is nothing at \(pointer); \(place) is \(wording(value))"
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
