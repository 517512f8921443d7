/// A text with the name people know it by, and with its lines.
///
/// A byte order mark is no part of the text. Lines end in LF, CRLF or CR.
public final class SourceFile: Sendable {
    /// The name as it is shown to people.
    public let name: String
    /// The bytes of the text, as a rule valid UTF-8.
    let bytes: [UInt8]
    /// The offset at which each line begins; the first is always 0.
    let lineStarts: [Int]
    /// How many characters begin before each block of bytes, so that a column in a long line is found
    /// without counting from its beginning.
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

    /// Feeds the name and the length of the text.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(bytes.count)
    }
}
