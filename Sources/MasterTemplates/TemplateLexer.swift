internal import MasterJSON

/// A piece of a template: text, `{{ … }}` or `{% … %}`.
struct TemplatePiece {
    enum Kind {
        case text
        case output
        case tag
    }

    let kind: Kind
    /// The whole piece.
    let range: Range<Int>
    /// The range inside the braces, or of the text.
    var content: Range<Int>
}

/// Splits a template into pieces, dropping comments.
struct TemplateLexer {
    private let bytes: [UInt8]
    private var pieces: [TemplatePiece] = []
    /// Errors in the braces.
    private(set) var problems: [TemplateProblem] = []
    /// Whether leading white space is trimmed from the next text.
    private var trimsNext = false

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func divide() -> [TemplatePiece] {
        var start = 0
        while let opening = nextOpening(from: start) {
            appendText(start..<opening)
            start = readBraces(at: opening)
        }
        appendText(start..<bytes.count)
        return pieces
    }

    private func nextOpening(from start: Int) -> Int? {
        var index = start
        while let brace = bytes[index...].firstIndex(of: UInt8(ascii: "{")) {
            guard brace + 1 < bytes.count else { return nil }
            if "{%#".utf8.contains(bytes[brace + 1]) { return brace }
            index = brace + 1
        }
        return nil
    }

    private mutating func appendText(_ range: Range<Int>) {
        var range = range
        if trimsNext {
            let space = bytes[range].prefix(while: Self.isSpace)
            range = space.endIndex..<range.upperBound
        }
        trimsNext = false
        guard !range.isEmpty else { return }
        pieces.append(TemplatePiece(kind: .text, range: range, content: range))
    }

    /// Reads the braces that start at an offset; returns the offset after them.
    private mutating func readBraces(at opening: Int) -> Int {
        let mark = bytes[opening + 1]
        let closingMark = mark == UInt8(ascii: "{") ? UInt8(ascii: "}") : mark
        let quotes = mark == UInt8(ascii: "#") ? "" : "\"'"
        guard let closing = self.closing(closingMark, from: opening + 2, quotes: quotes) else {
            let name = String(decoding: bytes[opening..<opening + 2], as: UTF8.self)
            let end = String(decoding: [closingMark, UInt8(ascii: "}")], as: UTF8.self)
            problems.append(
                TemplateProblem(
                    "'\(name)' is never closed by '\(end)', or a quote inside it is not closed",
                    opening..<opening + 2))
            let next = self.closing(closingMark, from: opening + 2, quotes: "")
            return next.map { $0 + 2 } ?? bytes.count
        }
        var content = opening + 2..<closing
        if let first = content.first.map({ bytes[$0] }), Self.isWhitespaceMark(first) {
            if first == UInt8(ascii: "-") { trimLastText() }
            content = content.dropFirst()
        }
        if let last = content.last.map({ bytes[$0] }), Self.isWhitespaceMark(last) {
            trimsNext = last == UInt8(ascii: "-")
            content = content.dropLast()
        }
        let range = opening..<closing + 2
        switch mark {
        case UInt8(ascii: "{"):
            pieces.append(TemplatePiece(kind: .output, range: range, content: content))
        case UInt8(ascii: "%"):
            pieces.append(TemplatePiece(kind: .tag, range: range, content: content))
        default: break
        }
        return range.upperBound
    }

    /// The offset of a closing mark followed by its brace, outside quotes.
    private func closing(_ mark: UInt8, from start: Int, quotes: String) -> Int? {
        var quote: UInt8?
        var index = start
        while index + 1 < bytes.count {
            let byte = bytes[index]
            if let open = quote {
                if byte == UInt8(ascii: "\\") {
                    index += 1
                } else if byte == open {
                    quote = nil
                }
            } else if byte == mark, bytes[index + 1] == UInt8(ascii: "}") {
                return index
            } else if quotes.utf8.contains(byte) {
                quote = byte
            }
            index += 1
        }
        return nil
    }

    private mutating func trimLastText() {
        guard let last = pieces.last, last.kind == .text else { return }
        let kept = bytes[last.content].reversed().drop(while: Self.isSpace).count
        pieces[pieces.count - 1].content = last.content.prefix(kept)
    }

    private static func isWhitespaceMark(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || 0x09...0x0D ~= byte
    }
}

/// A token inside the braces of a template.
struct TemplateToken: Hashable {
    enum Kind: Hashable {
        case name(String)
        case number(JSONNumber)
        case text(String)
        case sign(String)
        case end
    }

    let kind: Kind
    let range: Range<Int>
}

/// Splits the contents of braces into tokens.
struct TemplateTokenizer {
    /// The signs, of which some only serve messages.
    private static let signs =
        ["...", "**", "<<", ">>", "||", ":=", "==", "!=", "<=", ">=", "<", ">"]
        + [".", "[", "]", "(", ")"]
        + ["|", ":", ",", "=", "//", "+", "-", "~", "*", "/", "%"]

    private let bytes: [UInt8]
    private var index: Int
    private let end: Int
    private var tokens: [TemplateToken] = []

    init(_ bytes: [UInt8], in range: Range<Int>) {
        self.bytes = bytes
        index = range.lowerBound
        end = range.upperBound
    }

    mutating func tokenize() throws(TemplateProblem) -> [TemplateToken] {
        while index < end {
            let byte = bytes[index]
            if byte == 0x20 || 0x09...0x0D ~= byte {
                index += 1
            } else {
                try readToken(from: index)
            }
        }
        append(.end, from: end)
        return tokens
    }

    private mutating func readToken(from start: Int) throws(TemplateProblem) {
        let byte = bytes[index]
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
            append(.text(try readText(quote: byte)), from: start)
        } else if Self.isDigit(byte) || isSign(at: index) {
            append(.number(try readNumber()), from: start)
        } else if Self.isNamePart(byte) {
            skip { Self.isNamePart($0) || $0 == UInt8(ascii: "-") }
            append(.name(string(start..<index)), from: start)
        } else if let sign = Self.signs.first(where: { starts(with: $0) }) {
            index += sign.utf8.count
            append(.sign(sign), from: start)
        } else {
            let rest = String(decoding: bytes[index..<end].prefix(16), as: UTF8.self)
            let sign = rest.first ?? "?"
            throw TemplateProblem(
                "'\(sign)' is not allowed here; \(TemplateHints.remedy(forSign: sign))",
                index..<index + 1)
        }
    }

    /// Whether a `-` starts a negative number, rather than being a binary operator.
    private func isSign(at place: Int) -> Bool {
        guard bytes[place] == UInt8(ascii: "-"), startsDigit(place + 1) else { return false }
        switch tokens.last?.kind {
        case .number, .text, .sign(")"), .sign("]"): return false
        case .name(let name): return TemplateExpressionParser.keywords.contains(name)
        case .sign, .end, nil: return true
        }
    }

    private mutating func append(_ kind: TemplateToken.Kind, from start: Int) {
        tokens.append(TemplateToken(kind: kind, range: start..<index))
    }

    private mutating func readText(quote: UInt8) throws(TemplateProblem) -> String {
        let start = index
        var text: [UInt8] = []
        index += 1
        while index < end, bytes[index] != quote {
            if bytes[index] == UInt8(ascii: "\\"), index + 1 < end {
                index += 1
                text += Self.unescaped(bytes[index])
            } else {
                text.append(bytes[index])
            }
            index += 1
        }
        guard index < end else {
            throw TemplateProblem("the quote that begins here is never closed", start..<end)
        }
        index += 1
        return String(decoding: text, as: UTF8.self)
    }

    private static func unescaped(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "n"): [0x0A]
        case UInt8(ascii: "r"): [0x0D]
        case UInt8(ascii: "t"): [0x09]
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): [byte]
        default: [UInt8(ascii: "\\"), byte]
        }
    }

    /// Reads a number; after a dot only an index, so that `list.0.1` contains two of them.
    private mutating func readNumber() throws(TemplateProblem) -> JSONNumber {
        let start = index
        index += 1
        skip(while: Self.isDigit)
        if tokens.last?.kind != .sign("."), starts(with: "."), startsDigit(index + 1) {
            index += 1
            skip(while: Self.isDigit)
        }
        guard let number = JSONNumber(spelling: string(start..<index)) else {
            throw TemplateProblem("'\(string(start..<index))' is not a number", start..<index)
        }
        return number
    }

    private mutating func skip(while condition: (UInt8) -> Bool) {
        while index < end, condition(bytes[index]) { index += 1 }
    }

    private func starts(with sign: String) -> Bool {
        bytes[index..<end].starts(with: sign.utf8)
    }

    private func startsDigit(_ place: Int) -> Bool {
        place < end && Self.isDigit(bytes[place])
    }

    private func string(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }

    /// Letters, digits, `_`, and all non-ASCII bytes.
    private static func isNamePart(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte >= 0x80 || isDigit(byte)
            || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
    }
}
