/// The parts of a line of block YAML as users read it: indentation, list markers, key, value,
/// comment.
///
/// Meant for lines that are not valid YAML, so it is a heuristic.
struct LineParts {
    /// The line without its line end.
    let line: Range<Int>
    /// The first character that is not blank.
    let contentStart: Int
    /// The offsets of the key, without the colon, when the line has one.
    private(set) var key: Range<Int>?
    /// The value, without what precedes it and without a comment; empty when there is none.
    private(set) var value: Range<Int>

    /// The number of blanks before the content.
    var indentation: Int { contentStart - line.lowerBound }

    init(_ bytes: [UInt8], line: Range<Int>) {
        self.line = line
        contentStart = line.first { !bytes[$0].isBlank } ?? line.upperBound
        var start = contentStart
        while start < line.upperBound, bytes[start] == .dash,
            start + 1 == line.upperBound || bytes[start + 1].isBlank
        { start = Self.skipBlanks(bytes, start + 1..<line.upperBound) }
        if let colon = Self.colon(bytes, start..<line.upperBound) {
            key = start..<colon
            start = Self.skipBlanks(bytes, colon + 1..<line.upperBound)
        }
        start = NodeProperties(bytes, start..<line.upperBound).contentStart
        value = start..<Self.end(bytes, start..<line.upperBound)
    }

    private static func skipBlanks(_ bytes: [UInt8], _ rest: Range<Int>) -> Int {
        rest.first { !bytes[$0].isBlank } ?? rest.upperBound
    }

    /// Returns the offset of the colon after a key.
    private static func colon(_ bytes: [UInt8], _ rest: Range<Int>) -> Int? {
        guard let first = rest.first.map({ bytes[$0] }), first != .openBracket, first != .openBrace
        else { return nil }
        var offset = rest.lowerBound
        if first.isQuote {
            offset += 1
            while offset < rest.upperBound, bytes[offset] != first { offset += 1 }
        }
        return (offset..<max(rest.upperBound, offset)).first {
            bytes[$0] == .colon && ($0 + 1 == rest.upperBound || bytes[$0 + 1].isBlank)
        }
    }

    /// Returns where a value ends: before a comment and the blanks around it.
    private static func end(_ bytes: [UInt8], _ rest: Range<Int>) -> Int {
        var end = rest.upperBound
        if let hash = rest.dropFirst().first(where: { bytes[$0] == .hash && bytes[$0 - 1].isBlank })
        {
            end = hash
        }
        while end > rest.lowerBound, bytes[end - 1].isBlank { end -= 1 }
        return end
    }
}

/// Counts brackets and braces in a range, skipping quotes and comments.
struct BracketScan {
    /// The number of brackets that are still open.
    private(set) var depth = 0
    /// Whether the bracket at the start was closed.
    private(set) var closesFirst = false

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

/// Finds the tag and the anchor before a node; libyaml does not report where they are.
struct NodeProperties {
    /// The offsets of the tag, if there is one.
    private(set) var tag: Range<Int>?
    /// The offset of the first character after tag and anchor.
    private(set) var contentStart: Int

    init(_ bytes: [UInt8], _ node: Range<Int>) {
        contentStart = node.lowerBound
        while contentStart < node.upperBound {
            let start = contentStart
            switch bytes[start] {
            case .exclamation:
                contentStart = Self.endOfWord(bytes, start..<node.upperBound)
                tag = start..<contentStart
            case .ampersand: contentStart = Self.endOfWord(bytes, start..<node.upperBound)
            default: return
            }
            contentStart = Self.endOfSeparation(bytes, contentStart..<node.upperBound)
        }
    }

    private static func endOfWord(_ bytes: [UInt8], _ rest: Range<Int>) -> Int {
        let isVerbatim = bytes[rest].starts(with: "!<".utf8)
        return rest.first { bytes[$0].isBlankOrBreak || !isVerbatim && bytes[$0].isFlowIndicator }
            ?? rest.upperBound
    }

    private static func endOfSeparation(_ bytes: [UInt8], _ rest: Range<Int>) -> Int {
        var offset = rest.lowerBound
        while offset < rest.upperBound {
            if bytes[offset] == .hash {
                while offset < rest.upperBound, !bytes[offset].isLineBreak { offset += 1 }
            } else if bytes[offset].isBlankOrBreak {
                offset += 1
            } else {
                break
            }
        }
        return offset
    }
}
