/// Counts brackets and braces in a stretch of text, passing over quotes and comments.
struct BracketScan {
    /// The number of brackets that are opened more often than closed.
    private(set) var depth = 0
    /// Whether the bracket at the start was closed again.
    private(set) var closesFirst = false

    /// Scans a stretch.
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        var offset = range.lowerBound
        while offset < range.upperBound, !closesFirst {
            let byte = bytes[offset]
            let followsText =
                offset > range.lowerBound && !Self.beginsToken(after: bytes[offset - 1])
            if byte.isQuote, !followsText {
                offset = Self.endOfQuote(bytes, offset..<range.upperBound)
                continue
            }
            if byte == .hash, !followsText {
                offset =
                    (offset..<range.upperBound).first { bytes[$0].isLineBreak } ?? range.upperBound
                continue
            }
            if byte == .openBracket || byte == .openBrace { depth += 1 }
            if byte == .closeBracket || byte == .closeBrace {
                depth -= 1
                closesFirst = depth == 0
            }
            offset += 1
        }
    }

    private static func beginsToken(after byte: UInt8) -> Bool {
        byte.isBlankOrBreak || byte.isFlowIndicator || byte == .colon
    }

    private static func endOfQuote(_ bytes: [UInt8], _ rest: Range<Int>) -> Int {
        let quote = bytes[rest.lowerBound]
        var offset = rest.lowerBound + 1
        while offset < rest.upperBound, bytes[offset] != quote {
            offset += quote == .doubleQuote && bytes[offset] == .backslash ? 2 : 1
        }
        return min(offset + 1, rest.upperBound)
    }
}
