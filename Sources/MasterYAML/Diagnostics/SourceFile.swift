/// A source text with its name and its lines.
///
/// The text has no byte order mark. Lines end in LF, CRLF or CR.
public final class SourceFile: Sendable {
    /// The name in diagnostics.
    public let name: String
    /// The bytes of the text, usually valid UTF-8.
    let bytes: [UInt8]
    /// The offset at which each line starts; the first is always 0.
    let lineStarts: [Int]
    /// The number of characters before each block of bytes, so that a column in a long line can be
    /// computed without counting from the start of the line.
    private let charactersBefore: [Int]
    private static let blockSize = 256

    /// Creates a file from a text in memory.
    public convenience init(name: String, text: String) {
        self.init(name: name, bytes: Array(text.utf8))
    }

    /// Creates a file from bytes that have no byte order mark and may be invalid UTF-8.
    init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
        self.lineStarts = Self.lineStarts(of: bytes)
        self.charactersBefore = Self.charactersBeforeBlocks(of: bytes)
    }

    /// The whole text; bytes that are not UTF-8 are replaced by U+FFFD.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The number of characters that begin before an offset.
    func characterCount(before offset: Int) -> Int {
        let block = offset / Self.blockSize
        return bytes[block * Self.blockSize..<offset].reduce(charactersBefore[block]) {
            $1.isContinuation ? $0 : $0 + 1
        }
    }

    private static func charactersBeforeBlocks(of bytes: [UInt8]) -> [Int] {
        var (counts, count) = ([Int](), 0)
        for (index, byte) in bytes.enumerated() {
            if index % blockSize == 0 { counts.append(count) }
            if !byte.isContinuation { count += 1 }
        }
        if bytes.count % blockSize == 0 { counts.append(count) }
        return counts
    }

    private static func lineStarts(of bytes: [UInt8]) -> [Int] {
        var starts = [0]
        for (index, byte) in bytes.enumerated() {
            let endsLine =
                byte == .lineFeed
                || byte == .carriageReturn
                    && (index + 1 == bytes.count || bytes[index + 1] != .lineFeed)
            if endsLine { starts.append(index + 1) }
        }
        return starts
    }
}

extension SourceFile: Hashable {
    /// Files are equal when they have the same name and the same text.
    public static func == (left: SourceFile, right: SourceFile) -> Bool {
        left === right || left.name == right.name && left.bytes == right.bytes
    }

    /// Hashes the name and the length of the text.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(bytes.count)
    }
}

extension SourceFile {
    /// The number of lines, at least one.
    public var lineCount: Int { lineStarts.count }

    /// Returns the text of a line, counted from 1, without its line end; nil if the line does not
    /// exist.
    public func line(_ number: Int) -> String? {
        guard (1...lineCount).contains(number) else { return nil }
        return String(decoding: bytes[byteRange(ofLine: number)], as: UTF8.self)
    }

    /// Returns the position of a UTF-8 offset, clamped to the text.
    public func position(ofUTF8Offset offset: Int) -> SourcePosition {
        let offset = min(max(offset, 0), bytes.count)
        let line = lineNumber(ofUTF8Offset: offset)
        let column =
            1 + characterCount(before: offset) - characterCount(before: lineStarts[line - 1])
        return SourcePosition(line: line, column: column, offset: offset)
    }

    /// Returns the range between two UTF-8 offsets.
    public func range(ofUTF8 offsets: Range<Int>) -> SourceRange {
        SourceRange(
            start: position(ofUTF8Offset: offsets.lowerBound),
            end: position(ofUTF8Offset: offsets.upperBound))
    }

    /// Returns the text of a range.
    public func text(in range: SourceRange) -> String {
        text(ofUTF8: range.start.offset..<range.end.offset)
    }

    /// Returns the text between two offsets, clamped to the file.
    func text(ofUTF8 offsets: Range<Int>) -> String {
        String(decoding: bytes[offsets.clamped(to: 0..<bytes.count)], as: UTF8.self)
    }

    /// Returns the number, from 1, of the line that holds an offset.
    func lineNumber(ofUTF8Offset offset: Int) -> Int {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return low + 1
    }

    /// Returns the offsets of a line, counted from 1, without its line end.
    func byteRange(ofLine number: Int) -> Range<Int> {
        let start = lineStarts[number - 1]
        var end = number < lineStarts.count ? lineStarts[number] : bytes.count
        while end > start, bytes[end - 1].isLineBreak { end -= 1 }
        return start..<end
    }

    /// Returns the offsets of the line that holds an offset, without its line end.
    func byteRange(ofLineAt offset: Int) -> Range<Int> {
        byteRange(ofLine: lineNumber(ofUTF8Offset: offset))
    }
}

/// A position in a source file.
public struct SourcePosition: Sendable, Hashable, Comparable {
    /// The line, counted from 1.
    public let line: Int
    /// The column, counted from 1 in Unicode scalars.
    public let column: Int
    /// The number of UTF-8 bytes before it in ``SourceFile/text``.
    public let offset: Int

    /// Creates a position from its line, column and UTF-8 offset.
    public init(line: Int, column: Int, offset: Int) {
        self.line = line
        self.column = column
        self.offset = offset
    }

    /// Orders positions by their offsets.
    public static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        left.offset < right.offset
    }
}

extension SourcePosition: CustomStringConvertible {
    /// The position as `line:column`.
    public var description: String { "\(line):\(column)" }
}

/// A range of a source file, from its first character up to, but not including, its end.
public struct SourceRange: Sendable, Hashable {
    /// The position of the first character.
    public let start: SourcePosition
    /// The position after the last character.
    public let end: SourcePosition

    /// Creates a range; an end before the start makes the range empty.
    public init(start: SourcePosition, end: SourcePosition) {
        self.start = start
        self.end = max(start, end)
    }

    /// Whether the range is empty.
    public var isEmpty: Bool { start.offset == end.offset }
}

extension SourceRange: CustomStringConvertible {
    /// The range as `line:column-line:column`.
    public var description: String { "\(start)-\(end)" }
}

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
