/// Decodes literal and folded blocks and notes the source of each byte.
struct BlockScalarDecoder {
    /// The most ways to read a block with an indentation indicator that are tried.
    private static let maximumReadings = 32

    private let bytes: [UInt8]
    private let end: Int
    private let indentation: Int
    private let isFolded: Bool
    private var text = DecodedText()

    /// Decodes a block from its `|` or `>` on.
    ///
    /// An indentation indicator counts from the parent, which is not known here; therefore there may be
    /// several readings, of which the caller takes the one that gives the value. All line ends at the
    /// end are kept in each reading.
    static func candidates(
        _ bytes: [UInt8],
        _ content: Range<Int>,
        isFolded: Bool
    ) -> [DecodedText] {
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
                bytes: bytes,
                end: end,
                indentation: indentation,
                isFolded: isFolded
            )
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
