extension JSONReader {
    /// Reads a text, whose opening quote is the present byte.
    mutating func readString() throws(JSONParserError) -> String {
        let quote = offset
        offset += 1
        let plain = try readPlain(from: quote)
        guard current == UInt8(ascii: "\\") else {
            offset += 1
            return plain
        }
        var text = plain
        while !take(UInt8(ascii: "\"")) {
            if current == UInt8(ascii: "\\") {
                text.unicodeScalars.append(try readEscape())
            } else {
                text += try readPlain(from: quote)
            }
        }
        return text
    }

    /// Reads up to the next quote or backslash.
    private mutating func readPlain(from quote: Int) throws(JSONParserError) -> String {
        let start = offset
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            guard byte >= 0x20 else {
                throw error("\(found()) must be escaped inside a text")
            }
            offset += 1
        }
        guard offset < bytes.count else {
            throw error("the text that begins here has no closing quote", at: quote)
        }
        guard let text = String(validating: bytes[start..<offset], as: UTF8.self) else {
            throw error("the text is not valid UTF-8", at: invalidOffset(start..<offset))
        }
        return text
    }

    private mutating func readEscape() throws(JSONParserError) -> Unicode.Scalar {
        let start = offset
        offset += 1
        let letter = current
        offset += 1
        switch letter {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try readUnicodeEscape(from: start)
        default:
            throw error("a backslash must be followed by one of \" \\ / b f n r t u", at: start)
        }
    }

    private mutating func readUnicodeEscape(
        from start: Int
    ) throws(JSONParserError) -> Unicode.Scalar {
        let unit = try readHexUnit(from: start)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw error("half of a surrogate pair stands alone", at: start)
        }
        let second = try readHexUnit(from: offset - 2)
        guard 0xDC00...0xDFFF ~= second,
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00))
        else { throw error("half of a surrogate pair stands alone", at: start) }
        return scalar
    }

    private mutating func readHexUnit(from start: Int) throws(JSONParserError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current,
                let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80
            else { throw error("\\u must be followed by four hexadecimal digits", at: start) }
            unit = unit << 4 | UInt32(digit)
            offset += 1
        }
        return unit
    }

    /// The place of the first byte that is not as it would be in valid UTF-8.
    private func invalidOffset(_ range: Range<Int>) -> Int {
        let repaired = String(decoding: bytes[range], as: UTF8.self).utf8
        let intact = zip(repaired, bytes[range]).prefix { $0 == $1 }
        return range.lowerBound + intact.count
    }
}
