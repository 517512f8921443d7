extension SourceFile {
    /// The number of lines, at least one.
    public var lineCount: Int { lineStarts.count }

    /// Returns the text of a line, counted from 1, without its line end; nil when there is no such line.
    public func line(_ number: Int) -> String? {
        guard (1...lineCount).contains(number) else { return nil }
        return String(decoding: bytes[byteRange(ofLine: number)], as: UTF8.self)
    }

    /// Returns the place of a UTF-8 offset; an offset outside of the text is moved to its nearer end.
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
            end: position(ofUTF8Offset: offsets.upperBound)
        )
    }

    /// Returns the text of a range.
    public func text(in range: SourceRange) -> String {
        text(ofUTF8: range.start.offset..<range.end.offset)
    }

    /// Returns the text between two offsets, as far as it is in the file.
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
