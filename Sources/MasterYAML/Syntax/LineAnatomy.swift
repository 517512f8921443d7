/// A line of block YAML taken apart as people read it: indentation, list marks, key, value, comment.
///
/// It is a help to explain lines that YAML itself cannot read, so it decides by looks.
struct LineAnatomy {
    /// The line without its line end.
    let line: Range<Int>
    /// The first character that is no blank.
    let contentStart: Int
    /// The offsets of the key, without the colon, when the line has one.
    private(set) var key: Range<Int>?
    /// The value, without what precedes it and without a comment; empty when there is none.
    private(set) var value: Range<Int>

    /// The number of blanks before the content.
    var indentation: Int { contentStart - line.lowerBound }

    /// Takes apart the line that holds an offset.
    init(_ bytes: [UInt8], line: Range<Int>) {
        self.line = line
        contentStart = line.first { !bytes[$0].isBlank } ?? line.upperBound
        var start = contentStart
        while start < line.upperBound, bytes[start] == .dash,
            start + 1 == line.upperBound || bytes[start + 1].isBlank
        {
            start = Self.skipBlanks(bytes, start + 1..<line.upperBound)
        }
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
