/// What is wrong with a text that should be JSON, and where.
public struct JSONParserError: Error, Hashable, CustomStringConvertible {
    /// One sentence that says what is wrong.
    public let message: String
    /// The place in bytes from the beginning.
    public let offset: Int
    /// The line, from 1.
    public let line: Int
    /// The character in the line, from 1.
    public let column: Int

    init(_ message: String, offset: Int, in bytes: [UInt8]) {
        self.message = message
        self.offset = offset
        var line = 1
        var column = 1
        for byte in bytes.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.line = line
        self.column = column
    }

    /// The message with its place.
    public var description: String {
        "\(message) (line \(line), column \(column))"
    }
}
