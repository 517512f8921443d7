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

/// The state of parsing one JSON text.
struct JSONReader {
    let bytes: [UInt8]
    let limits: JSONParser
    var offset = 0
    private var depth = 0
    private var valueCount = 0

    init(bytes: [UInt8], limits: JSONParser) {
        self.bytes = bytes
        self.limits = limits
    }

    /// The current byte, or `nil` at the end.
    var current: UInt8? {
        offset < bytes.count ? bytes[offset] : nil
    }

    mutating func readDocument() throws(JSONParserError) -> JSONValue {
        // A byte order mark, as sent by some servers, is skipped as RFC 8259 allows.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
        skipSpace()
        guard current != nil else { throw error("the JSON text is empty") }
        let value = try readValue()
        skipSpace()
        guard current == nil else {
            throw error("\(found()) follows the end of the JSON value")
        }
        return value
    }

    func error(_ message: String, at place: Int? = nil) -> JSONParserError {
        JSONParserError(message, offset: place ?? offset, in: bytes)
    }

    /// A description of what was found at the current position, for messages.
    func found() -> String {
        guard let byte = current else { return "the end of the text" }
        guard byte > 0x20, byte != 0x7F else { return "byte 0x" + String(byte, radix: 16) }
        let character = String(decoding: bytes[offset...].prefix(16), as: UTF8.self).first
        return "'\(character ?? "?")'"
    }

    private mutating func readValue() throws(JSONParserError) -> JSONValue {
        valueCount += 1
        guard valueCount <= limits.maximumValueCount else {
            throw error("the JSON text has more than \(limits.maximumValueCount) values")
        }
        guard let byte = current else { throw error("expected a JSON value, found \(found())") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try readObject())
        case UInt8(ascii: "["): return .array(try readArray())
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .bool(true))
        case UInt8(ascii: "f"): return try readWord("false", .bool(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .number(try readNumber())
        default: throw error("expected a JSON value, found \(found())")
        }
    }

    /// Consumes the opening bracket of a list or object.
    private mutating func open() throws(JSONParserError) {
        guard depth < limits.maximumDepth else {
            throw error("the JSON text nests deeper than \(limits.maximumDepth) levels")
        }
        depth += 1
        offset += 1
        skipSpace()
    }

    /// Consumes the closing bracket of a list or object, if present.
    private mutating func close(_ bracket: UInt8) -> Bool {
        guard take(bracket) else { return false }
        depth -= 1
        return true
    }

    private mutating func readArray() throws(JSONParserError) -> [JSONValue] {
        try open()
        var array: [JSONValue] = []
        guard !close(UInt8(ascii: "]")) else { return array }
        while true {
            array.append(try readValue())
            skipSpace()
            if close(UInt8(ascii: "]")) { return array }
            try expectComma(or: "]")
        }
    }

    private mutating func readObject() throws(JSONParserError) -> JSONObject {
        try open()
        var object = JSONObject()
        guard !close(UInt8(ascii: "}")) else { return object }
        while true {
            guard current == UInt8(ascii: "\"") else {
                throw error("expected a key in double quotes, found \(found())")
            }
            let key = try readString()
            skipSpace()
            guard take(UInt8(ascii: ":")) else {
                throw error("expected ':' after the key, found \(found())")
            }
            skipSpace()
            object[key] = try readValue()
            skipSpace()
            if close(UInt8(ascii: "}")) { return object }
            try expectComma(or: "}")
        }
    }

    private mutating func expectComma(or end: String) throws(JSONParserError) {
        let comma = offset
        guard take(UInt8(ascii: ",")) else {
            throw error("expected ',' or '\(end)', found \(found())")
        }
        skipSpace()
        guard current != end.utf8.first else {
            throw error("no comma may stand before '\(end)'", at: comma)
        }
    }

    private mutating func readWord(
        _ word: String, _ value: JSONValue
    ) throws(JSONParserError) -> JSONValue {
        guard bytes[offset...].starts(with: word.utf8) else {
            throw error("expected a JSON value; texts need double quotes")
        }
        offset += word.utf8.count
        return value
    }

    /// Consumes a byte if it is the current one.
    mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        offset += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = current,
            byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
        {
            offset += 1
        }
    }
}

extension JSONReader {
    /// Reads a number that starts at the current byte.
    mutating func readNumber() throws(JSONParserError) -> JSONNumber {
        let start = offset
        let isNegative = take(UInt8(ascii: "-"))
        let firstDigit = offset
        skipDigits()
        guard offset > firstDigit else {
            throw error("expected a digit after '-', found \(found())")
        }
        guard bytes[firstDigit] != UInt8(ascii: "0") || offset == firstDigit + 1 else {
            throw error("a number may not begin with 0", at: firstDigit)
        }
        let wholeEnd = offset
        try readFraction()
        try readExponent()
        if offset == wholeEnd, let value = smallInteger(firstDigit..<offset, isNegative) {
            return JSONNumber(value)
        }
        return JSONNumber(storage: .json(String(decoding: bytes[start..<offset], as: UTF8.self)))
    }

    /// The integer for digits that are certain to fit; minus zero is excluded, as it keeps its
    /// sign.
    private func smallInteger(_ digits: Range<Int>, _ isNegative: Bool) -> Int? {
        guard digits.count <= 18 else { return nil }
        var value = 0
        for index in digits {
            value = value * 10 + Int(bytes[index] - UInt8(ascii: "0"))
        }
        guard isNegative else { return value }
        return value == 0 ? nil : -value
    }

    private mutating func readFraction() throws(JSONParserError) {
        guard take(UInt8(ascii: ".")) else { return }
        try expectDigits("after '.'")
    }

    private mutating func readExponent() throws(JSONParserError) {
        guard take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) else { return }
        if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
        try expectDigits("in the exponent")
    }

    private mutating func expectDigits(_ place: String) throws(JSONParserError) {
        let start = offset
        skipDigits()
        guard offset > start else { throw error("expected a digit \(place), found \(found())") }
    }

    private mutating func skipDigits() {
        while let byte = current, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
            offset += 1
        }
    }
}

extension JSONReader {
    /// Reads a string whose opening quote is the current byte.
    mutating func readString() throws(JSONParserError) -> String {
        let quote = offset
        offset += 1
        let plain = try readPlain(from: quote)
        guard current == UInt8(ascii: "\\") else {
            offset += 1
            return plain
        }
        var text = plain
        while !take(UInt8(ascii: "\"")) {
            if current == UInt8(ascii: "\\") {
                text.unicodeScalars.append(try readEscape())
            } else {
                text += try readPlain(from: quote)
            }
        }
        return text
    }

    /// Reads up to the next quote or backslash.
    private mutating func readPlain(from quote: Int) throws(JSONParserError) -> String {
        let start = offset
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            guard byte >= 0x20 else {
                throw error("\(found()) must be escaped inside a text")
            }
            offset += 1
        }
        guard offset < bytes.count else {
            throw error("the text that begins here has no closing quote", at: quote)
        }
        guard let text = String(validating: bytes[start..<offset], as: UTF8.self) else {
            throw error("the text is not valid UTF-8", at: invalidOffset(start..<offset))
        }
        return text
    }

    private mutating func readEscape() throws(JSONParserError) -> Unicode.Scalar {
        let start = offset
        offset += 1
        let letter = current
        offset += 1
        switch letter {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try readUnicodeEscape(from: start)
        default:
            throw error("a backslash must be followed by one of \" \\ / b f n r t u", at: start)
        }
    }

    private mutating func readUnicodeEscape(
        from start: Int
    ) throws(JSONParserError) -> Unicode.Scalar {
        let unit = try readHexUnit(from: start)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw error("half of a surrogate pair stands alone", at: start)
        }
        let second = try readHexUnit(from: offset - 2)
        guard 0xDC00...0xDFFF ~= second,
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00))
        else { throw error("half of a surrogate pair stands alone", at: start) }
        return scalar
    }

    private mutating func readHexUnit(from start: Int) throws(JSONParserError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current,
                let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80
            else { throw error("\\u must be followed by four hexadecimal digits", at: start) }
            unit = unit << 4 | UInt32(digit)
            offset += 1
        }
        return unit
    }

    /// The offset of the first byte that is invalid in UTF-8.
    private func invalidOffset(_ range: Range<Int>) -> Int {
        let repaired = String(decoding: bytes[range], as: UTF8.self).utf8
        let intact = zip(repaired, bytes[range]).prefix { $0 == $1 }
        return range.lowerBound + intact.count
    }
}
