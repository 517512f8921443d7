/// Finds top-level sections by their looks: lines that begin with a plain key.
struct SectionFinder {
    private let bytes: [UInt8]

    /// Looks for sections in bytes.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Returns the start of the section that holds an offset; 0 when there is none before it.
    func start(before offset: Int) -> Int {
        var line = startOfLine(min(offset, bytes.count))
        while line > 0, !beginsSection(at: line) { line = startOfLine(line - 1) }
        return line
    }

    /// Returns the start of the next section after the line of an offset, or the end of the file.
    func end(after offset: Int) -> Int {
        var line = startOfNextLine(offset)
        while line < bytes.count, !beginsSection(at: line) { line = startOfNextLine(line) }
        return line
    }

    private func startOfLine(_ offset: Int) -> Int {
        var start = offset
        while start > 0, !bytes[start - 1].isLineBreak { start -= 1 }
        return start
    }

    private func startOfNextLine(_ offset: Int) -> Int {
        var next = offset
        while next < bytes.count, !bytes[next].isLineBreak { next += 1 }
        return min(next + 1, bytes.count)
    }

    private func beginsSection(at line: Int) -> Bool {
        var end = line
        while end < bytes.count, bytes[end].isNameCharacter || bytes[end] == UInt8(ascii: ".") {
            end += 1
        }
        guard end > line, bytes[line] != .dash, end < bytes.count, bytes[end] == .colon else {
            return false
        }
        return end + 1 == bytes.count || bytes[end + 1].isBlankOrBreak
    }
}
