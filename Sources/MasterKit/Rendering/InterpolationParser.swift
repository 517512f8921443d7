/// The state of parsing one format; parsing continues after an error.
struct InterpolationParser {
    let bytes: [UInt8]
    private let positionalCount: Int?
    private var positionalsSeen = 0
    var depth = 0
    var errors: [InterpolationError] = []
    var uses: [InterpolationUse] = []

    init(_ text: String, positionalCount: Int?) {
        bytes = Array(text.utf8)
        self.positionalCount = positionalCount
    }

    /// Parses the whole format.
    mutating func parseFormat() -> [InterpolationFormat.Part] {
        let parts = parse(bytes.indices)
        if let positionalCount, positionalsSeen != positionalCount {
            report(
                "the format has \(positionalsSeen) %s, but \(positionalCount) "
                    + (positionalCount == 1 ? "argument is" : "arguments are")
                    + " given; give one argument for each %s",
                bytes.indices
            )
        }
        return parts
    }

    /// Parses part of the text as a format.
    mutating func parse(_ range: Range<Int>) -> [InterpolationFormat.Part] {
        var parts: [InterpolationFormat.Part] = []
        var text: [UInt8] = []
        var index = range.lowerBound
        while let percent = bytes[index..<range.upperBound].firstIndex(of: UInt8(ascii: "%")) {
            text += bytes[index..<percent]
            let next = percent + 1 < range.upperBound ? bytes[percent + 1] : nil
            index = percent + 2
            if next == UInt8(ascii: "%") {
                text.append(UInt8(ascii: "%"))
                continue
            }
            Self.flush(&text, into: &parts)
            switch next {
            case UInt8(ascii: "("):
                parts += parseExpression(at: percent, in: range, end: &index)
            case UInt8(ascii: "s"):
                parts += parsePositional(at: percent)
            default:
                reportLonePercent(percent, next)
                index = percent + 1
            }
        }
        text += bytes[index..<range.upperBound]
        Self.flush(&text, into: &parts)
        return parts
    }

    private static func flush(_ text: inout [UInt8], into parts: inout [InterpolationFormat.Part]) {
        guard !text.isEmpty else { return }
        parts.append(.text(String(decoding: text, as: UTF8.self)))
        text.removeAll(keepingCapacity: true)
    }

    mutating func report(_ message: String, _ range: Range<Int>) {
        errors.append(InterpolationError(message: message, range: range))
    }

    /// The text of a range, shortened to fit into a message.
    func quoted(_ range: Range<Int>) -> String {
        let text = String(decoding: bytes[range], as: UTF8.self)
        return text.count > 60 ? text.prefix(57) + "..." : text
    }

    private mutating func reportLonePercent(_ percent: Int, _ next: UInt8?) {
        let isConversion = next.map { $0 < 0x80 && Character(Unicode.Scalar($0)).isLetter } ?? false
        report(
            isConversion && positionalCount != nil
                ? "'\(quoted(percent..<percent + 2))' is not a conversion; write %s, or %% for a "
                    + "percent sign"
                : "a lone '%' is not allowed; write %% for a percent sign",
            percent..<percent + 1
        )
    }

    private mutating func parsePositional(at percent: Int) -> [InterpolationFormat.Part] {
        let range = percent..<percent + 2
        guard positionalCount != nil else {
            report(
                "%s has no argument; give arguments with the format, name the value as in "
                    + "%(prop:name)s, or write %%s for the text itself",
                range
            )
            return []
        }
        let index = positionalsSeen
        positionalsSeen += 1
        uses.append(
            InterpolationUse(reference: .positional(index), range: range, hasModifier: false))
        return [.positional(index)]
    }

    /// Parses `%(…)s` and advances `end` past it.
    private mutating func parseExpression(
        at percent: Int, in range: Range<Int>, end: inout Int
    ) -> [InterpolationFormat.Part] {
        guard let closing = closingParenthesis(from: percent + 2, to: range.upperBound) else {
            report(
                "the parenthesis of '\(quoted(percent..<range.upperBound))' is never closed; "
                    + "an expression is written %(prop:name)s",
                percent..<range.upperBound
            )
            end = range.upperBound
            return []
        }
        end = closing + 1
        if end < range.upperBound, bytes[end] == UInt8(ascii: "s") {
            end += 1
        } else {
            reportConversion(percent..<closing + 1, end: range.upperBound)
        }
        guard positionalCount == nil else {
            report(
                "'\(quoted(percent..<end))' cannot stand in a format with arguments; give the "
                    + "values by name and write %(kw:name)s instead of %s",
                percent..<end
            )
            return []
        }
        return parseExpression(inside: percent + 2..<closing)
    }

    private func closingParenthesis(from start: Int, to end: Int) -> Int? {
        var open = 1
        for index in start..<end {
            if bytes[index] == UInt8(ascii: "(") { open += 1 }
            if bytes[index] == UInt8(ascii: ")") { open -= 1 }
            if open == 0 { return index }
        }
        return nil
    }

    private mutating func reportConversion(_ range: Range<Int>, end: Int) {
        let expression = quoted(range)
        let next = range.upperBound < end ? bytes[range.upperBound] : nil
        if let next, next < 0x80, Character(Unicode.Scalar(next)).isLetter {
            let wrong = range.lowerBound..<range.upperBound + 1
            let letter = Character(Unicode.Scalar(next))
            report("'\(expression)\(letter)' must end in 's': write \(expression)s", wrong)
        } else {
            report("'\(expression)' lacks its final 's': write \(expression)s", range)
        }
    }
}

/// A syntax error in a format.
package struct InterpolationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One sentence: what is wrong and how to fix it.
    package let message: String
    /// The location in the format, in UTF-8 bytes.
    package let range: Range<Int>

    /// Creates an error from a message and a location.
    package init(message: String, range: Range<Int>) {
        self.message = message
        self.range = range
    }

    /// The message.
    package var description: String { message }
}

/// All syntax errors in one format, in order.
package struct InterpolationErrors: Error, Sendable, Hashable, CustomStringConvertible {
    /// The errors; never empty.
    package let errors: [InterpolationError]

    init(errors: [InterpolationError]) {
        self.errors = errors
    }

    /// The messages, one per line.
    package var description: String {
        errors.map(\.message).joined(separator: "\n")
    }
}

/// An error: a value required by a format is missing.
package struct InterpolationMissingValue: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the format refers to.
    package let reference: InterpolationReference

    /// One sentence: what is missing.
    package var description: String {
        "\(reference) is missing; a format cannot be rendered without it"
    }
}

/// A reference in a format's expression.
package enum InterpolationReference: Sendable, Hashable {
    /// A property of the build: `%(prop:branch)s`.
    case property(String)
    /// An attribute of a source stamp: `%(src:codebase:revision)s`; the codebase may be empty.
    case source(codebase: String, attribute: String)
    /// A keyword argument: `%(kw:name)s`.
    case keyword(String)
    /// A secret: `%(secret:token)s`.
    case secret(String)
    /// Information about the worker: `%(worker:host)s`.
    case worker(String)
    /// A positional argument, counted from 0: `%s`.
    case positional(Int)
}

extension InterpolationReference: CustomStringConvertible {
    /// A description for messages: `property 'branch'`.
    package var description: String {
        switch self {
        case .property(let name): "property '\(name)'"
        case .source("", let attribute): "source attribute '\(attribute)'"
        case .source(let codebase, let attribute):
            "source attribute '\(attribute)' of codebase '\(codebase)'"
        case .keyword(let name): "keyword '\(name)'"
        case .secret(let name): "secret '\(name)'"
        case .worker(let key): "worker information '\(key)'"
        case .positional(let index): "argument \(index + 1)"
        }
    }
}

/// An occurrence of a reference in a format.
package struct InterpolationUse: Sendable, Hashable {
    /// The reference.
    package let reference: InterpolationReference
    /// The location of the name in the format, in UTF-8 bytes.
    package let range: Range<Int>
    /// Whether a modifier provides an alternative for a missing value.
    package let hasModifier: Bool
}

/// The first word of an expression, which selects the source of its value.
enum InterpolationSelector: String, CaseIterable {
    case prop, src, kw, secret, worker

    /// What the selector selects, for messages.
    var noun: String {
        switch self {
        case .prop: "property"
        case .src: "codebase"
        case .kw: "keyword"
        case .secret: "secret"
        case .worker: "worker information"
        }
    }

    /// Returns the reference to a name; sources have two names and are handled separately.
    func reference(to name: String) -> InterpolationReference {
        switch self {
        case .prop: .property(name)
        case .src: .source(codebase: "", attribute: name)
        case .kw: .keyword(name)
        case .secret: .secret(name)
        case .worker: .worker(name)
        }
    }

    /// Returns the selector most likely meant by an unknown word.
    static func suggestion(for word: String) -> InterpolationSelector? {
        let word = word.lowercased()
        guard word.utf8.count <= 16 else { return nil }
        switch word {
        case "property", "properties", "p": return .prop
        case "source", "sourcestamp", "ss", "s": return .src
        case "keyword", "kwarg", "arg": return .kw
        case "slave", "workerinfo", "info": return .worker
        default: break
        }
        let near = allCases.map { ($0, editDistance(Array(word.utf8), Array($0.rawValue.utf8))) }
        guard let best = near.min(by: { $0.1 < $1.1 }), best.1 * 2 <= best.0.rawValue.count else {
            return nil
        }
        return best.0
    }

    /// The number of bytes to insert, delete or replace to turn one word into the other.
    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let replaced = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}

/// The arguments after the format of an `!Interpolate`: values by position, or by name.
struct InterpolationArguments: Sendable {
    private(set) var positional: [RenderTree] = []
    private(set) var keywords = ExactDictionary<RenderTree>()

    /// Reads the items after the format; those that are mappings contain named arguments.
    init?(_ items: [YAMLNode], with decoder: SettingDecoder) {
        var isValid = true
        for item in items {
            if case .mapping(let mapping) = item.kind, Self.areNamed(item) {
                for entry in mapping.entries where !addKeyword(entry, with: decoder) {
                    isValid = false
                }
            } else if let tree = RenderTree(item, with: decoder) {
                positional.append(tree)
            } else {
                isValid = false
            }
        }
        guard isValid else { return nil }
    }

    /// Whether an item after the format is a mapping of named arguments.
    static func areNamed(_ item: YAMLNode) -> Bool {
        guard case .mapping = item.kind else { return false }
        return item.expressionName == nil
    }

    private mutating func addKeyword(
        _ entry: YAMLMapping.Entry, with decoder: SettingDecoder
    ) -> Bool {
        guard let name = entry.key.scalarText else {
            decoder.error(
                "the name of an argument of !Interpolate must be a text, not \(entry.key.wording)",
                at: entry.key.range)
            return false
        }
        guard let tree = RenderTree(entry.value, with: decoder) else { return false }
        if keywords.updateValue(tree, forKey: name) != nil {
            decoder.error(
                "!Interpolate has the argument '\(name.shortened)' twice; keep one",
                at: entry.key.range)
            return false
        }
        return true
    }
}
