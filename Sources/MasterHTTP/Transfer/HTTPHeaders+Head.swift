extension HTTPHeaders {
    /// Reads the header lines of a message's head; its first line is passed over.
    ///
    /// Folded lines are joined by a space; what has no colon is passed over.
    init(head: [UInt8]) {
        var fields: [HTTPPair] = []
        var lines = head.split(separator: 0x0A)[...]
        lines = lines.dropFirst()
        for line in lines {
            let text = Self.trim(line)
            guard let first = line.first, !text.isEmpty else { continue }
            if first == 0x20 || first == 0x09 {
                guard !fields.isEmpty else { continue }
                fields[fields.count - 1].value += " " + HTTPSyntax.text(text)
            } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
                fields.append(
                    HTTPPair(
                        HTTPSyntax.text(Self.trim(text[..<colon])),
                        HTTPSyntax.text(Self.trim(text[(colon + 1)...]))
                    )
                )
            }
        }
        self.init(fields)
    }

    private static func trim(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let byte = bytes.first, isBlank(byte) { bytes.removeFirst() }
        while let byte = bytes.last, isBlank(byte) { bytes.removeLast() }
        return bytes
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D
    }
}
