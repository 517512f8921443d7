/// What a filter is called and how many arguments it takes.
enum TemplateFilter: String, Sendable, Hashable, CaseIterable {
    case capitalize
    case `default`
    case escape
    case first
    case indent
    case join
    case json
    case last
    case length
    case lowercase
    case safe
    case split
    case trim
    case truncate
    case uppercase

    /// Finds a filter by its name, or by what Jinja or Stencil call it.
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

    /// Whether a mask still finds a secret in what the filter makes of a value.
    func keepsSecrets(in value: JSONValue?) -> Bool {
        switch self {
        case .default, .escape, .indent, .join, .json, .length, .safe, .trim: true
        case .first, .last: value?.arrayValue != nil
        case .capitalize, .lowercase, .split, .truncate, .uppercase: false
        }
    }

    /// How many arguments the filter takes.
    var argumentCount: ClosedRange<Int> {
        switch self {
        case .default, .truncate: 1...1
        case .join, .split: 0...1
        case .indent: 0...3
        default: 0...0
        }
    }

    /// How the filter is written, for a message.
    var usage: String {
        switch self {
        case .default: "default:\"text\""
        case .truncate: "truncate:80"
        case .join: "join:\", \""
        case .split: "split:\",\""
        case .indent: "indent:4"
        default: rawValue
        }
    }
}

extension TemplateFilter {
    /// No more bytes than these may come out of a filter or of a whole template.
    static let maximumByteCount = 16 << 20
    private static let maximumParts = 100_000

    /// Applies the filter; what is thrown is a sentence.
    func apply(
        to value: TemplateValue,
        _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> TemplateValue {
        let result = try unboundedResult(of: value, arguments)
        try check(result.json?.stringValue?.utf8.count ?? 0)
        return result
    }

    private func unboundedResult(
        of value: TemplateValue,
        _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> TemplateValue {
        switch self {
        case .default:
            return value.json?.isNull ?? true ? TemplateValue(arguments.first) : value
        case .safe: return TemplateValue(value.json, isSafe: true)
        case .escape:
            let text = value.isSafe ? value.text : TemplateValue.escapedForHTML(value.text)
            return TemplateValue(.string(text), isSafe: true)
        case .json:
            return TemplateValue(.string(JSONWriter.compact.string(value.json ?? .null)))
        case .first, .last: return TemplateValue(value.member(.string(rawValue)))
        case .length: return TemplateValue(value.member("count") ?? 0)
        case .uppercase: return mapTexts(value) { $0.uppercased() }
        case .lowercase: return mapTexts(value) { $0.lowercased() }
        case .capitalize: return mapTexts(value, Self.capitalized)
        case .trim: return mapTexts(value, Self.trimmed)
        case .truncate: return TemplateValue(.string(try truncated(value.text, arguments)))
        case .join: return TemplateValue(try joined(value.json, arguments))
        case .split: return TemplateValue(try split(value.json, arguments))
        case .indent: return TemplateValue(.string(try indented(value.text, arguments)))
        }
    }

    /// Changes a text, or each text of a list.
    private func mapTexts(_ value: TemplateValue, _ change: (String) -> String) -> TemplateValue {
        guard case .array(let array) = value.json else {
            return TemplateValue(.string(change(value.text)))
        }
        return TemplateValue(.array(array.map { .string(change($0.text ?? "")) }))
    }

    /// The text with the first letter of each word in upper case and the others in lower case.
    private static func capitalized(_ text: String) -> String {
        var capitalized = ""
        var isInWord = false
        for character in text {
            capitalized += isInWord ? character.lowercased() : character.uppercased()
            isInWord = character.isLetter || character.isNumber || isInWord && character == "'"
        }
        return capitalized
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }

    private func truncated(
        _ text: String, _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> String {
        guard let count = arguments.first?.intValue, count >= 0 else {
            throw TemplateFilterError("'truncate' needs a number of characters, as in \(usage)")
        }
        guard text.utf8.count > count, text.count > count else { return text }
        return count == 0 ? "" : text.prefix(count - 1) + "…"
    }

    private func joined(
        _ value: JSONValue?, _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> JSONValue? {
        guard case .array(let array) = value else { return value }
        let separator = arguments.first?.text ?? ""
        let texts = array.map { $0.text ?? "" }
        let count = texts.reduce(0) { $0 + $1.utf8.count + separator.utf8.count }
        try check(count)
        return .string(texts.joined(separator: separator))
    }

    private func split(
        _ value: JSONValue?, _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> JSONValue? {
        guard case .string(let text) = value else { return value }
        let separator = arguments.first?.text ?? " "
        guard !separator.isEmpty else {
            throw TemplateFilterError("'split' needs a separator, as in \(usage)")
        }
        let parts = text.split(
            separator: separator, maxSplits: Self.maximumParts, omittingEmptySubsequences: false)
        guard parts.count <= Self.maximumParts else {
            throw TemplateFilterError("'split' makes more than \(Self.maximumParts) parts")
        }
        return .array(parts.map { .string(String($0)) })
    }

    private func indented(
        _ text: String, _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> String {
        guard let width = arguments.first.map(\.intValue) ?? 4, 0...1000 ~= width else {
            throw TemplateFilterError("'indent' needs a width from 0 to 1000, as in \(usage)")
        }
        let unit = arguments.count > 1 ? arguments[1].text ?? " " : " "
        let indentsFirst = arguments.count > 2 && arguments[2].isTruthy
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        try check(text.utf8.count + lines.count * width * min(unit.utf8.count, 1 << 30))
        let indentation = String(repeating: unit, count: width)
        let indented = lines.enumerated().map { index, line in
            line.isEmpty || index == 0 && !indentsFirst ? String(line) : indentation + line
        }
        return indented.joined(separator: "\n")
    }

    private func check(_ byteCount: Int) throws(TemplateFilterError) {
        guard byteCount <= Self.maximumByteCount else {
            throw TemplateFilterError(
                "the result of '\(rawValue)' would be larger than "
                    + "\(Self.maximumByteCount >> 20) MiB"
            )
        }
    }
}

/// Why a filter cannot be applied.
struct TemplateFilterError: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}
