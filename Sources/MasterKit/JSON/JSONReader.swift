/// The state of reading one JSON text.
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

    /// The byte at the present place, or `nil` at the end.
    var current: UInt8? {
        offset < bytes.count ? bytes[offset] : nil
    }

    mutating func readDocument() throws(JSONParserError) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw error("the JSON text begins with a byte order mark; save it without one")
        }
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

    /// What is at the present place, for a message.
    func found() -> String {
        guard let byte = current else { return "the end of the text" }
        guard byte > 0x20, byte != 0x7F else { return "byte 0x" + String(byte, radix: 16) }
        let character = String(decoding: bytes[offset...].prefix(16), as: UTF8.self).first
        return "'\(character ?? "?")'"
    }

    private mutating func readValue() throws(JSONParserError) -> JSONValue {
        valueCount += 1
        guard valueCount <= limits.maximumValueCount else {
            throw error("the JSON text holds more than \(limits.maximumValueCount) values")
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

    /// Moves over the opening bracket of a list or object.
    private mutating func open() throws(JSONParserError) {
        guard depth < limits.maximumDepth else {
            throw error("the JSON text nests deeper than \(limits.maximumDepth) levels")
        }
        depth += 1
        offset += 1
        skipSpace()
    }

    /// Moves over the closing bracket of a list or object, if it is there.
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
        _ word: String,
        _ value: JSONValue
    ) throws(JSONParserError) -> JSONValue {
        guard bytes[offset...].starts(with: word.utf8) else {
            throw error("expected a JSON value; texts need double quotes")
        }
        offset += word.utf8.count
        return value
    }

    /// Moves over a byte if it is the present one.
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
