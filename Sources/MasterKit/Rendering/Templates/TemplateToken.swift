/// A word or sign inside the braces of a template.
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

/// Divides what is inside the braces into tokens.
struct TemplateTokenizer {
    private static let signs =
        ["...", "==", "!=", "<=", ">=", "<", ">", ".", "[", "]", "(", ")"]
        + ["|", ":", ","]

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
        } else if Self.isDigit(byte) || byte == UInt8(ascii: "-") && startsDigit(index + 1) {
            append(.number(try readNumber()), from: start)
        } else if Self.isNamePart(byte) {
            skip { Self.isNamePart($0) || $0 == UInt8(ascii: "-") }
            append(.name(string(start..<index)), from: start)
        } else if let sign = Self.signs.first(where: { starts(with: $0) }) {
            index += sign.utf8.count
            append(.sign(sign), from: start)
        } else {
            let rest = String(decoding: bytes[index..<end].prefix(16), as: UTF8.self)
            throw TemplateProblem(
                "'\(rest.first ?? "?")' means nothing here; texts need quotes",
                index..<index + 1
            )
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

    /// Reads a number; behind a dot only an index, so that `list.0.1` is two of them.
    private mutating func readNumber() throws(TemplateProblem) -> JSONNumber {
        let start = index
        index += 1
        skip(while: Self.isDigit)
        if tokens.last?.kind != .sign("."), starts(with: "."), startsDigit(index + 1) {
            index += 1
            skip(while: Self.isDigit)
        }
        guard let number = JSONNumber(spelling: string(start..<index)) else {
            throw TemplateProblem("'\(string(start..<index))' is no number", start..<index)
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

    /// Letters, digits, `_`, and everything beyond ASCII.
    private static func isNamePart(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte >= 0x80 || isDigit(byte)
            || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
    }
}
