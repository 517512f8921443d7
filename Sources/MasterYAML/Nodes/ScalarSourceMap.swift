/// Maps every byte of a scalar's value to its range in the source.
///
/// The source is decoded again, only when the location of a part is needed. There is a map only if
/// the result is exactly the value.
struct ScalarSourceMap {
    private let decoded: DecodedText
    private let content: Range<Int>

    /// Decodes a scalar; nil when the result differs from its value.
    init?(scalar: YAMLScalar, bytes: [UInt8], content: Range<Int>) {
        let value = Array(scalar.value.utf8)
        let candidates: [DecodedText] =
            switch scalar.style {
            case .plain, .singleQuoted, .doubleQuoted:
                [FlowScalarDecoder.decode(bytes, content, style: scalar.style)]
            case .literal, .folded:
                BlockScalarDecoder.candidates(bytes, content, isFolded: scalar.style == .folded)
            }
        guard let decoded = candidates.first(where: { $0.bytes.starts(with: value) }) else {
            return nil
        }
        self.decoded = decoded
        self.content = content
    }

    /// Returns the source range of a part of the value, clamped to it.
    func source(of part: Range<Int>) -> Range<Int> {
        let count = decoded.bytes.count
        let lower = min(max(part.lowerBound, 0), count)
        let upper = min(max(part.upperBound, lower), count)
        let end = decoded.sources.last?.upperBound ?? content.upperBound
        let start = lower < count ? decoded.sources[lower].lowerBound : end
        return start..<max(start, lower == upper ? start : decoded.sources[upper - 1].upperBound)
    }
}

/// Decoded bytes, each with its range in the source.
struct DecodedText {
    private(set) var bytes: [UInt8] = []
    private(set) var sources: [Range<Int>] = []

    mutating func append(_ byte: UInt8, from source: Range<Int>) {
        bytes.append(byte)
        sources.append(source)
    }

    /// Appends bytes that are all decoded from the same range of the source.
    mutating func append(contentsOf text: some Sequence<UInt8>, from source: Range<Int>) {
        for byte in text { append(byte, from: source) }
    }

    mutating func append(_ other: DecodedText) {
        bytes += other.bytes
        sources += other.sources
    }

    /// Removes blanks at the end, but not those before `limit`.
    mutating func dropTrailingBlanks(downTo limit: Int) {
        while bytes.count > limit, bytes[bytes.count - 1].isBlank {
            bytes.removeLast()
            sources.removeLast()
        }
    }
}

/// Decodes plain and quoted scalars and records the source of each byte.
struct FlowScalarDecoder {
    private let bytes: [UInt8]
    private let style: YAMLScalar.Style
    private let end: Int
    private var offset: Int
    private var text = DecodedText()
    /// The length of the text up to which blanks are kept, because they were escaped.
    private var fixedCount = 0

    /// Decodes the source of a scalar, quotes included.
    static func decode(
        _ bytes: [UInt8], _ content: Range<Int>, style: YAMLScalar.Style
    ) -> DecodedText {
        let quotes = style == .plain ? 0 : 1
        guard content.count >= 2 * quotes else { return DecodedText() }
        var decoder = FlowScalarDecoder(
            bytes: bytes, style: style, end: content.upperBound - quotes,
            offset: content.lowerBound + quotes)
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

    /// Folds line ends: one becomes a space, n of them n - 1 line feeds.
    private mutating func fold() {
        let start = offset
        var breaks: [Range<Int>] = []
        while offset < end, bytes[offset].isBlankOrBreak {
            if bytes[offset].isLineBreak { breaks.append(lineBreak()) } else { offset += 1 }
        }
        if breaks.count == 1 { text.append(.space, from: start..<offset) }
        for source in breaks.dropFirst() { text.append(.lineFeed, from: source) }
        fixedCount = text.bytes.count
    }

    /// Skips one line end.
    private mutating func lineBreak() -> Range<Int> {
        let start = offset
        let isPair =
            bytes[offset] == .carriageReturn && offset + 1 < end && bytes[offset + 1] == .lineFeed
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
        let character = digits == 0 ? Self.simple[letter] : Self.scalar(hex: bytes[offset..<stop])
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

/// Decodes literal and folded blocks and records the source of each byte.
struct BlockScalarDecoder {
    /// The maximum number of candidates for a block with an indentation indicator.
    private static let maximumReadings = 32

    private let bytes: [UInt8]
    private let end: Int
    private let indentation: Int
    private let isFolded: Bool
    private var text = DecodedText()

    /// Decodes a block, starting at its `|` or `>`.
    ///
    /// An indentation indicator counts from the parent, which is not known here; therefore there
    /// may be several candidates, and the caller takes the one that yields the value. All keep the
    /// line ends at the end.
    static func candidates(_ bytes: [UInt8], _ content: Range<Int>, isFolded: Bool) -> [DecodedText]
    {
        var body = content.lowerBound
        var hasIndicator = false
        while body < content.upperBound, !bytes[body].isLineBreak, bytes[body] != .hash {
            hasIndicator = hasIndicator || bytes[body].isDigit
            body += 1
        }
        while body < content.upperBound, bytes[body] != .lineFeed { body += 1 }
        body = min(body + 1, content.upperBound)
        let end = followingBreaks(bytes, from: content.upperBound)
        let found = detectedIndentation(bytes, body..<end)
        let indentations =
            hasIndicator ? Array((0...found).reversed().prefix(maximumReadings)) : [found]
        return indentations.map { indentation in
            var decoder = BlockScalarDecoder(
                bytes: bytes, end: end, indentation: indentation, isFolded: isFolded)
            decoder.decode(from: body)
            return decoder.text
        }
    }

    private init(bytes: [UInt8], end: Int, indentation: Int, isFolded: Bool) {
        self.bytes = bytes
        self.end = end
        self.indentation = indentation
        self.isFolded = isFolded
    }

    /// Returns the offset after the empty lines that follow; they may belong to the value.
    private static func followingBreaks(_ bytes: [UInt8], from offset: Int) -> Int {
        var end = offset
        var next = offset
        while next < bytes.count, bytes[next].isBlankOrBreak {
            next += 1
            if bytes[next - 1].isLineBreak { end = next }
        }
        return end
    }

    /// Returns the number of spaces before the first line that is not empty.
    private static func detectedIndentation(_ bytes: [UInt8], _ body: Range<Int>) -> Int {
        var spaces = 0
        for offset in body {
            if bytes[offset] == .space {
                spaces += 1
            } else if bytes[offset].isLineBreak {
                spaces = 0
            } else {
                return spaces
            }
        }
        return spaces
    }

    /// A line: what is after its indentation, and its line end.
    private struct Line {
        let content: Range<Int>
        let lineBreak: Range<Int>
    }

    private func line(from offset: Int) -> Line {
        var start = offset
        while start < min(offset + indentation, end), bytes[start] == .space { start += 1 }
        var stop = start
        while stop < end, !bytes[stop].isLineBreak { stop += 1 }
        var next = min(stop + 1, end)
        if next < end, bytes[stop] == .carriageReturn, bytes[next] == .lineFeed { next += 1 }
        return Line(content: start..<stop, lineBreak: stop..<next)
    }

    private mutating func decode(from start: Int) {
        var offset = start
        var pendingBreak: Range<Int>?
        var emptyLines = DecodedText()
        var followsBlank = false
        while offset < end {
            let line = line(from: offset)
            offset = max(line.lineBreak.upperBound, offset + 1)
            if line.content.isEmpty {
                emptyLines.append(.lineFeed, from: line.lineBreak)
                continue
            }
            let startsBlank = bytes[line.content.lowerBound].isBlank
            if let lineBreak = pendingBreak {
                let folds = isFolded && !followsBlank && !startsBlank
                if !folds {
                    text.append(.lineFeed, from: lineBreak)
                } else if emptyLines.bytes.isEmpty {
                    text.append(.space, from: lineBreak)
                }
            }
            text.append(emptyLines)
            emptyLines = DecodedText()
            for place in line.content { text.append(bytes[place], from: place..<place + 1) }
            pendingBreak = line.lineBreak
            followsBlank = startsBlank
        }
        if let pendingBreak { text.append(.lineFeed, from: pendingBreak) }
        text.append(emptyLines)
    }
}
