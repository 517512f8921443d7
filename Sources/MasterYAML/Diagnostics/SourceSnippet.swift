/// The source line that a diagnostic shows, shortened, with its underline.
struct SourceSnippet {
    /// The maximum number of columns that are shown.
    static let maximumWidth = 160
    /// The maximum number of bytes before and after the caret that are considered.
    private static let maximumBytes = 1024

    /// The line as it is shown: tabs expanded, control characters escaped.
    let source: String
    /// The spaces before the caret.
    let indentation: String
    /// The caret and the tildes.
    let underline: String

    /// Creates the snippet for the first line of a range; nil when the file has no such line.
    init?(file: SourceFile, range: SourceRange) {
        guard (1...file.lineCount).contains(range.start.line) else { return nil }
        let line = file.byteRange(ofLine: range.start.line)
        let window = Self.window(of: file.bytes, line: line, around: range.start.offset)
        var source = window.lowerBound > line.lowerBound ? "…" : ""
        var column = source.count
        var caret: Int?
        var end: Int?
        var isCut = window.upperBound < line.upperBound
        var offset = window.lowerBound
        for scalar in String(decoding: file.bytes[window], as: UTF8.self).unicodeScalars {
            if offset >= range.start.offset, caret == nil { caret = column }
            if offset >= range.end.offset, end == nil { end = column }
            let shown = scalar.shown(atColumn: column)
            isCut = isCut || column + shown.width >= Self.maximumWidth
            guard column + shown.width < Self.maximumWidth else { break }
            source += shown.text
            column += shown.width
            offset += scalar.utf8Length(in: file.bytes, at: offset)
        }
        if isCut { source += "…" }
        let first = caret ?? column
        self.source = source
        self.indentation = String(repeating: " ", count: first)
        self.underline = "^" + String(repeating: "~", count: max((end ?? column) - first - 1, 0))
    }

    /// Returns the part of a line around the caret that may be shown.
    private static func window(of bytes: [UInt8], line: Range<Int>, around caret: Int) -> Range<Int>
    {
        let caret = min(max(caret, line.lowerBound), line.upperBound)
        var start = max(line.lowerBound, caret - maximumBytes)
        while start < caret, bytes[start].isContinuation { start += 1 }
        let before = line.count > maximumWidth ? maximumWidth / 2 : maximumWidth * 3 / 4
        start = beginning(of: bytes, start..<caret, fitting: before)
        var end = min(line.upperBound, caret + maximumBytes)
        while end < line.upperBound, end > caret, bytes[end].isContinuation { end -= 1 }
        return start..<end
    }

    /// Returns where to start so that the rest of a range takes at most `limit` columns.
    private static func beginning(
        of bytes: [UInt8], _ stretch: Range<Int>, fitting limit: Int
    ) -> Int {
        var offset = stretch.lowerBound
        var ends: [(offset: Int, width: Int)] = []
        var total = 0
        for scalar in String(decoding: bytes[stretch], as: UTF8.self).unicodeScalars {
            offset = min(offset + scalar.utf8Length(in: bytes, at: offset), stretch.upperBound)
            total += scalar.shown(atColumn: 0).width
            ends.append((offset, total))
        }
        guard total > limit else { return stretch.lowerBound }
        return ends.first { total - $0.width <= limit }?.offset ?? stretch.upperBound
    }
}

extension Unicode.Scalar {
    /// Returns the displayed form of the scalar and its width in columns.
    fileprivate func shown(atColumn column: Int) -> (text: String, width: Int) {
        if self == "\t" {
            let width = 4 - column % 4
            return (String(repeating: " ", count: width), width)
        }
        if needsEscape {
            let text = escaped(asASCII: true)
            return (text, text.unicodeScalars.count)
        }
        return (String(self), columnWidth)
    }

    /// Returns the number of bytes of the scalar; U+FFFD may replace several invalid bytes.
    fileprivate func utf8Length(in bytes: [UInt8], at offset: Int) -> Int {
        guard self == "\u{FFFD}" else { return UTF8.width(self) }
        var length = 1
        while offset + length < bytes.count, bytes[offset + length].isContinuation { length += 1 }
        return length
    }
}

extension Unicode.Scalar {
    /// Whether the scalar is invisible or would disturb a terminal.
    var needsEscape: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: true
        case .format: value != 0x200D
        default: false
        }
    }

    /// The width of the scalar on a terminal: 0, 1 or 2 columns.
    var columnWidth: Int {
        if isASCII { return 1 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        let isWide =
            properties.isEmojiPresentation || Self.wideRanges.contains { $0.contains(value) }
        return isWide ? 2 : 1
    }

    /// The blocks whose characters are "wide" in Unicode's East Asian Width.
    private static let wideRanges: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
        0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
    ]
}

extension String {
    /// The text with control characters escaped, safe for one line of a terminal.
    var escapingControls: String {
        guard unicodeScalars.contains(where: \.needsEscape) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            text += scalar.needsEscape ? scalar.escaped(asASCII: true) : String(scalar)
        }
    }
}

extension StringProtocol {
    /// The text, truncated if it is too long for a message.
    var clipped: String {
        let limit = 60
        guard let end = index(startIndex, offsetBy: limit, limitedBy: endIndex), end < endIndex
        else { return String(self) }
        return self[..<end] + "…"
    }
}
