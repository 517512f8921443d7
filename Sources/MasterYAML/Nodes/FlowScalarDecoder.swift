/// Decodes plain and quoted scalars and notes the source of each byte.
struct FlowScalarDecoder {
    private let bytes: [UInt8]
    private let style: YAMLScalar.Style
    private let end: Int
    private var offset: Int
    private var text = DecodedText()
    /// The length of the text after which blanks may be dropped, as they were not escaped.
    private var fixedCount = 0

    /// Decodes the source of a scalar, quotes included.
    static func decode(
        _ bytes: [UInt8],
        _ content: Range<Int>,
        style: YAMLScalar.Style
    ) -> DecodedText {
        let quotes = style == .plain ? 0 : 1
        guard content.count >= 2 * quotes else { return DecodedText() }
        var decoder = FlowScalarDecoder(
            bytes: bytes,
            style: style,
            end: content.upperBound - quotes,
            offset: content.lowerBound + quotes
        )
        while decoder.offset < decoder.end { decoder.step() }
        return decoder.text
    }

    private init(bytes: [UInt8], style: YAMLScalar.Style, end: Int, offset: Int) {
        self.bytes = bytes
        self.style = style
        self.end = end
        self.offset = offset
    }

    private mutating func step() {
        let byte = bytes[offset]
        if byte.isLineBreak {
            text.dropTrailingBlanks(downTo: fixedCount)
            fold()
        } else if style == .doubleQuoted, byte == .backslash {
            escape()
            fixedCount = text.bytes.count
        } else if style == .singleQuoted, byte == .singleQuote {
            text.append(byte, from: offset..<min(offset + 2, end))
            offset += 2
        } else {
            text.append(byte, from: offset..<offset + 1)
            offset += 1
        }
    }

    /// One line end becomes a space, more of them one line feed less than they are.
    private mutating func fold() {
        let start = offset
        var breaks: [Range<Int>] = []
        while offset < end, bytes[offset].isBlankOrBreak {
            if bytes[offset].isLineBreak { breaks.append(lineBreak()) } else { offset += 1 }
        }
        if breaks.count == 1 {
            text.append(.space, from: start..<offset)
        }
        for source in breaks.dropFirst() { text.append(.lineFeed, from: source) }
        fixedCount = text.bytes.count
    }

    /// Steps over one line end.
    private mutating func lineBreak() -> Range<Int> {
        let start = offset
        let isPair =
            bytes[offset] == .carriageReturn && offset + 1 < end
            && bytes[offset + 1] == .lineFeed
        offset += isPair ? 2 : 1
        return start..<offset
    }

    private mutating func escape() {
        let start = offset
        offset += 1
        guard offset < end else { return }
        let letter = bytes[offset]
        if letter.isLineBreak {
            _ = lineBreak()
            while offset < end, bytes[offset].isBlank { offset += 1 }
            return
        }
        offset += 1
        let digits = Self.hexDigits[letter] ?? 0
        let stop = min(offset + digits, end)
        let character =
            digits == 0 ? Self.simple[letter] : Self.scalar(hex: bytes[offset..<stop])
        offset = stop
        guard let character else { return }
        text.append(contentsOf: String(character).utf8, from: start..<offset)
    }

    private static func scalar(hex digits: ArraySlice<UInt8>) -> Unicode.Scalar? {
        UInt32(String(decoding: digits, as: UTF8.self), radix: 16).flatMap(Unicode.Scalar.init)
    }

    private static let hexDigits: [UInt8: Int] = [
        UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8,
    ]

    private static let simple: [UInt8: Unicode.Scalar] = [
        UInt8(ascii: "0"): "\0", UInt8(ascii: "a"): "\u{7}", UInt8(ascii: "b"): "\u{8}",
        UInt8(ascii: "t"): "\t", .tab: "\t", UInt8(ascii: "n"): "\n", UInt8(ascii: "v"): "\u{B}",
        UInt8(ascii: "f"): "\u{C}", UInt8(ascii: "r"): "\r", UInt8(ascii: "e"): "\u{1B}",
        .space: " ", .doubleQuote: "\"", UInt8(ascii: "/"): "/", .backslash: "\\",
        UInt8(ascii: "N"): "\u{85}", UInt8(ascii: "_"): "\u{A0}", UInt8(ascii: "L"): "\u{2028}",
        UInt8(ascii: "P"): "\u{2029}",
    ]
}
