extension HTTPHeaders {
    /// Reads the header lines of a message's head; its first line is passed over.
    ///
    /// Folded lines are joined by a space; what has no colon is passed over.
    init(head: [UInt8]) {
        var fields: [HTTPPair] = []
        fields.reserveCapacity(8)
        var start = (head.firstIndex(of: 0x0A) ?? head.endIndex - 1) + 1
        while start < head.endIndex {
            let end = head[start...].firstIndex(of: 0x0A) ?? head.endIndex
            Self.read(head, start..<end, into: &fields)
            start = end + 1
        }
        self.init(fields)
    }

    private static func read(_ head: [UInt8], _ line: Range<Int>, into fields: inout [HTTPPair]) {
        let text = trim(head, line)
        guard !text.isEmpty else { return }
        if isBlank(head[line.lowerBound]) {
            guard !fields.isEmpty else { return }
            fields[fields.count - 1].value += " " + HTTPSyntax.text(head[text])
        } else if let colon = head[text].firstIndex(of: UInt8(ascii: ":")) {
            let name = trim(head, text.lowerBound..<colon)
            let value = trim(head, (colon + 1)..<text.upperBound)
            fields.append(HTTPPair(HTTPSyntax.text(head[name]), HTTPSyntax.text(head[value])))
        }
    }

    private static func trim(_ head: [UInt8], _ range: Range<Int>) -> Range<Int> {
        var (lower, upper) = (range.lowerBound, range.upperBound)
        while lower < upper, isBlank(head[lower]) { lower += 1 }
        while lower < upper, isBlank(head[upper - 1]) { upper -= 1 }
        return lower..<upper
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D
    }
}
