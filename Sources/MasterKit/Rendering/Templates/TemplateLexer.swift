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
    /// What is inside the braces, or the text.
    var content: Range<Int>
}

/// Divides a template into pieces; comments are left out.
struct TemplateLexer {
    private let bytes: [UInt8]
    private var pieces: [TemplatePiece] = []
    /// Whether the next text loses the space at its beginning.
    private var trimsNext = false

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func divide() throws(TemplateProblem) -> [TemplatePiece] {
        var start = 0
        while let opening = nextOpening(from: start) {
            appendText(start..<opening)
            start = try readBraces(at: opening)
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

    /// Reads the braces that begin at a place; returns the place behind them.
    private mutating func readBraces(at opening: Int) throws(TemplateProblem) -> Int {
        let mark = bytes[opening + 1]
        let closingMark = mark == UInt8(ascii: "{") ? UInt8(ascii: "}") : mark
        let quotes = mark == UInt8(ascii: "#") ? "" : "\"'"
        guard let closing = self.closing(closingMark, from: opening + 2, quotes: quotes) else {
            let name = String(decoding: bytes[opening..<opening + 2], as: UTF8.self)
            let end = String(decoding: [closingMark, UInt8(ascii: "}")], as: UTF8.self)
            throw TemplateProblem(
                "'\(name)' is never closed by '\(end)', or a quote inside it is not closed",
                opening..<opening + 2
            )
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

    /// The place of a closing mark with its brace, outside quotes.
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
