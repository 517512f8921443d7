/// A strict parser for JSON as defined by RFC 8259.
///
/// The order of keys and the spelling of numbers are preserved. If a key occurs twice, the last
/// value is used. Depth, size and number of values are limited, so that malicious input causes an
/// error instead of exhausting memory.
public struct JSONParser: Sendable, Hashable {
    /// The maximum nesting depth of lists and objects.
    public var maximumDepth: Int
    /// The maximum size of the input in bytes.
    public var maximumByteCount: Int
    /// The maximum number of values in the input, at all depths together.
    public var maximumValueCount: Int

    /// Creates a parser; the default limits suit responses of services.
    public init(
        maximumDepth: Int = JSONValue.maximumDepth, maximumByteCount: Int = 64 << 20,
        maximumValueCount: Int = 4 << 20
    ) {
        self.maximumDepth = maximumDepth
        self.maximumByteCount = maximumByteCount
        self.maximumValueCount = maximumValueCount
    }

    /// Parses a string that contains one value.
    public func parse(_ text: String) throws(JSONParserError) -> JSONValue {
        try parse(Array(text.utf8))
    }

    /// Parses UTF-8 bytes that contain one value.
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
    /// Parses a JSON string that contains one value.
    public init(parsing text: String) throws(JSONParserError) {
        self = try JSONParser().parse(text)
    }

    /// Parses UTF-8 JSON bytes that contain one value.
    public init(parsing bytes: [UInt8]) throws(JSONParserError) {
        self = try JSONParser().parse(bytes)
    }
}

/// A JSON syntax error, with its location.
public struct JSONParserError: Error, Hashable, CustomStringConvertible {
    /// One sentence: what is wrong.
    public let message: String
    /// The byte offset from the beginning.
    public let offset: Int
    /// The line, starting at 1.
    public let line: Int
    /// The character in the line, starting at 1.
    public let column: Int

    init(_ message: String, offset: Int, in bytes: [UInt8]) {
        self.message = message
        self.offset = offset
        (line, column) = bytes.prefix(offset).lineAndColumnOfEnd
    }

    /// The message with its location.
    public var description: String {
        "\(message) (line \(line), column \(column))"
    }
}

extension Sequence<UInt8> {
    /// The line and column, starting at 1, of the position after this UTF-8 text.
    package var lineAndColumnOfEnd: (line: Int, column: Int) {
        reduce((line: 1, column: 1)) { place, byte in
            if byte == UInt8(ascii: "\n") { return (place.line + 1, 1) }
            return (place.line, place.column + (byte & 0xC0 == 0x80 ? 0 : 1))
        }
    }
}
