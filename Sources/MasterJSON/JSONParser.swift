/// Reads JSON as RFC 8259 defines it, and nothing else.
///
/// The order of keys and the spelling of numbers are kept. Of a key that occurs twice the last
/// value counts. Depth, size and number of values are bounded, so that a hostile text costs an
/// error and not the memory.
public struct JSONParser: Sendable, Hashable {
    /// How deep lists and objects may nest.
    public var maximumDepth: Int
    /// How many bytes a text may have.
    public var maximumByteCount: Int
    /// How many values a text may hold, at all depths together.
    public var maximumValueCount: Int

    /// Makes a parser; the limits suit the answers of services.
    public init(
        maximumDepth: Int = JSONValue.maximumDepth, maximumByteCount: Int = 64 << 20,
        maximumValueCount: Int = 4 << 20
    ) {
        self.maximumDepth = maximumDepth
        self.maximumByteCount = maximumByteCount
        self.maximumValueCount = maximumValueCount
    }

    /// Reads the one value that a text holds.
    public func parse(_ text: String) throws(JSONParserError) -> JSONValue {
        try parse(Array(text.utf8))
    }

    /// Reads the one value that bytes in UTF-8 hold.
    public func parse(_ bytes: [UInt8]) throws(JSONParserError) -> JSONValue {
        guard bytes.count <= maximumByteCount else {
            throw JSONParserError(
                "the JSON text has \(bytes.count) bytes; \(maximumByteCount) are allowed",
                offset: 0, in: bytes)
        }
        var reader = JSONReader(bytes: bytes, limits: self)
        return try reader.readDocument()
    }
}

extension JSONValue {
    /// Reads the one value that a JSON text holds.
    public init(parsing text: String) throws(JSONParserError) {
        self = try JSONParser().parse(text)
    }

    /// Reads the one value that JSON bytes in UTF-8 hold.
    public init(parsing bytes: [UInt8]) throws(JSONParserError) {
        self = try JSONParser().parse(bytes)
    }
}

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
        (line, column) = bytes.prefix(offset).lineAndColumnOfEnd
    }

    /// The message with its place.
    public var description: String {
        "\(message) (line \(line), column \(column))"
    }
}

extension Sequence<UInt8> {
    /// The line and the column, from 1, of what follows this text in UTF-8.
    package var lineAndColumnOfEnd: (line: Int, column: Int) {
        reduce((line: 1, column: 1)) { place, byte in
            if byte == UInt8(ascii: "\n") { return (place.line + 1, 1) }
            return (place.line, place.column + (byte & 0xC0 == 0x80 ? 0 : 1))
        }
    }
}
