internal import OrderedCollections

/// A JSON value, used in settings, properties, reports and responses.
///
/// Objects preserve the order of their keys, numbers keep their spelling, and two values are equal
/// if they have the same meaning: the order of keys and the spelling of numbers are ignored.
public enum JSONValue: Sendable, Hashable {
    /// The value `null`.
    case null
    /// The value `true` or `false`.
    case bool(Bool)
    /// A number with its spelling.
    case number(JSONNumber)
    /// A string.
    case string(String)
    /// A list of values.
    case array([JSONValue])
    /// A mapping from names to values, in order.
    case object(JSONObject)

    /// Creates a number from an integer.
    public static func int(_ value: some BinaryInteger) -> JSONValue {
        .number(JSONNumber(value))
    }

    /// Creates a number from a floating-point value.
    public static func double(_ value: Double) -> JSONValue {
        .number(JSONNumber(value))
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value as compact JSON.
    public var description: String {
        JSONWriter.compact.string(self)
    }
}

extension JSONValue {
    /// Whether the value is `null`.
    public var isNull: Bool {
        self == .null
    }

    /// The boolean, if the value is one.
    public var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The string, if the value is one.
    public var stringValue: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    /// The number with its spelling, if the value is one.
    public var numberValue: JSONNumber? {
        guard case .number(let value) = self else { return nil }
        return value
    }

    /// The integer, if the value is one and fits.
    public var intValue: Int? {
        numberValue?.intValue
    }

    /// The nearest floating-point number, if the value is a number.
    public var doubleValue: Double? {
        numberValue?.doubleValue
    }

    /// The list, if the value is one.
    public var arrayValue: [JSONValue]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    /// The object, if the value is one.
    public var objectValue: JSONObject? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    /// The value for a key, if the value is an object that has it.
    ///
    /// Setting a key on a value that is not an object replaces the value with an object that has
    /// that key; setting `nil` removes the key.
    public subscript(key: String) -> JSONValue? {
        get {
            guard case .object(let object) = self else { return nil }
            return object[key]
        }
        set {
            var object = objectValue ?? [:]
            self = .null  // gives up the only other reference, so that nothing is copied
            object[key] = newValue
            self = .object(object)
        }
    }

    /// The element at an index, if the value is a list that is long enough.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let array) = self, array.indices.contains(index) else { return nil }
        return array[index]
    }

    /// Whether the value is true in Python, not `null`, false, zero, or empty, and is not the
    /// string `false`, which a boolean of the command line is.
    public var isTruthy: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .number(let value): value != 0
        case .string(let value): !value.isEmpty && value != "false"
        case .array(let value): !value.isEmpty
        case .object(let value): !value.isEmpty
        }
    }
}

extension JSONValue: ExpressibleByNilLiteral {
    /// Creates `null`.
    public init(nilLiteral: ()) {
        self = .null
    }
}

extension JSONValue: ExpressibleByBooleanLiteral {
    /// Creates a boolean.
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }
}

extension JSONValue: ExpressibleByIntegerLiteral {
    /// Creates an integer.
    public init(integerLiteral value: Int) {
        self = .number(JSONNumber(value))
    }
}

extension JSONValue: ExpressibleByFloatLiteral {
    /// Creates a floating-point number.
    public init(floatLiteral value: Double) {
        self = .number(JSONNumber(value))
    }
}

extension JSONValue: ExpressibleByStringInterpolation {
    /// Creates a string.
    public init(stringLiteral value: String) {
        self = .string(value)
    }
}

extension JSONValue: ExpressibleByArrayLiteral {
    /// Creates a list.
    public init(arrayLiteral elements: JSONValue...) {
        self = .array(elements)
    }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
    /// Creates an object; if a key occurs twice, the last value is used.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

extension JSONValue {
    /// The value as inserted into a string, or `nil` for `null`.
    ///
    /// A string is inserted as is, a number as it was spelled, a boolean as `true` or `false`, a
    /// list or mapping as compact JSON.
    public var text: String? {
        switch self {
        case .null: nil
        case .bool(let value): value ? "true" : "false"
        case .number(let value): value.spelling
        case .string(let value): value
        case .array, .object: JSONWriter.compact.string(self)
        }
    }
}

/// Writes JSON values as bytes.
///
/// Numbers keep their spelling if it is valid JSON; infinities and NaN become `null`, since JSON
/// cannot express them.
public struct JSONWriter: Sendable, Hashable {
    /// The number of spaces per indentation level, or `nil` to write everything on one line.
    public var indentation: Int?
    /// Whether commas and colons within a line are followed by a space.
    public var spacesAfterSeparators: Bool
    /// Whether all non-ASCII characters are written as `\u…`.
    public var escapesNonASCII: Bool

    /// Creates a writer; by default it writes the most compact form.
    public init(
        indentation: Int? = nil, spacesAfterSeparators: Bool = false,
        escapesNonASCII: Bool = false
    ) {
        self.indentation = indentation
        self.spacesAfterSeparators = spacesAfterSeparators
        self.escapesNonASCII = escapesNonASCII
    }

    /// Writes everything on one line without spaces.
    public static let compact = JSONWriter()

    /// Writes one element per line, indented by two spaces.
    public static let pretty = JSONWriter(indentation: 2, spacesAfterSeparators: true)

    /// Writes the same bytes as Python's `json.dumps`.
    public static let python = JSONWriter(spacesAfterSeparators: true, escapesNonASCII: true)

    /// Returns the value as JSON in UTF-8.
    public func bytes(_ value: JSONValue) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1024)
        write(value, into: &bytes)
        return bytes
    }

    /// Returns the value as a JSON string.
    public func string(_ value: JSONValue) -> String {
        String(decoding: bytes(value), as: UTF8.self)
    }

    /// Appends the value as JSON in UTF-8.
    public func write(_ value: JSONValue, into bytes: inout [UInt8]) {
        write(value, level: 0, into: &bytes)
    }

    private func write(_ value: JSONValue, level: Int, into bytes: inout [UInt8]) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(true): bytes.append(contentsOf: "true".utf8)
        case .bool(false): bytes.append(contentsOf: "false".utf8)
        case .number(let number): write(number, into: &bytes)
        case .string(let text): write(text, into: &bytes)
        case .array(let array): write(array, level: level, into: &bytes)
        case .object(let object): write(object, level: level, into: &bytes)
        }
    }

    private func write(_ number: JSONNumber, into bytes: inout [UInt8]) {
        switch number.storage {
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .json(let text): bytes.append(contentsOf: text.utf8)
        case .double, .yaml: bytes.append(contentsOf: (number.jsonSpelling ?? "null").utf8)
        }
    }

    private func write(_ array: [JSONValue], level: Int, into bytes: inout [UInt8]) {
        guard !array.isEmpty else { return bytes.append(contentsOf: "[]".utf8) }
        bytes.append(UInt8(ascii: "["))
        var isFirst = true
        for element in array {
            beginElement(isFirst: isFirst, level: level + 1, into: &bytes)
            write(element, level: level + 1, into: &bytes)
            isFirst = false
        }
        breakLine(level: level, into: &bytes)
        bytes.append(UInt8(ascii: "]"))
    }

    private func write(_ object: JSONObject, level: Int, into bytes: inout [UInt8]) {
        guard !object.isEmpty else { return bytes.append(contentsOf: "{}".utf8) }
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for (key, value) in object.storage {
            beginElement(isFirst: isFirst, level: level + 1, into: &bytes)
            write(key, into: &bytes)
            bytes.append(UInt8(ascii: ":"))
            if spacesAfterSeparators { bytes.append(UInt8(ascii: " ")) }
            write(value, level: level + 1, into: &bytes)
            isFirst = false
        }
        breakLine(level: level, into: &bytes)
        bytes.append(UInt8(ascii: "}"))
    }

    private func beginElement(isFirst: Bool, level: Int, into bytes: inout [UInt8]) {
        if !isFirst {
            bytes.append(UInt8(ascii: ","))
            if spacesAfterSeparators, indentation == nil { bytes.append(UInt8(ascii: " ")) }
        }
        breakLine(level: level, into: &bytes)
    }

    private func breakLine(level: Int, into bytes: inout [UInt8]) {
        guard let indentation else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indentation * level))
    }
}

extension JSONWriter {
    /// Appends a string, quoted and escaped.
    func write(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        let last: UInt8 = escapesNonASCII ? 0x7F : 0xFF
        if text.utf8.allSatisfy({ Self.isPlain($0) && $0 <= last }) {
            bytes.append(contentsOf: text.utf8)
        } else if escapesNonASCII {
            writeEscapingNonASCII(text, into: &bytes)
        } else {
            for byte in text.utf8 {
                writeEscaping(byte, into: &bytes)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private func writeEscapingNonASCII(_ text: String, into bytes: inout [UInt8]) {
        for unit in text.utf16 {
            if let byte = UInt8(exactly: unit), byte < 0x80 {
                writeEscaping(byte, into: &bytes)
            } else {
                writeEscape(unit, into: &bytes)
            }
        }
    }

    private func writeEscaping(_ byte: UInt8, into bytes: inout [UInt8]) {
        guard !Self.isPlain(byte) else { return bytes.append(byte) }
        switch byte {
        case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
        case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
        case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
        case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
        case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
        case 0x08: bytes.append(contentsOf: "\\b".utf8)
        case 0x0C: bytes.append(contentsOf: "\\f".utf8)
        default: writeEscape(UInt16(byte), into: &bytes)
        }
    }

    private func writeEscape(_ unit: UInt16, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] as [UInt16] {
            let digit = UInt8(truncatingIfNeeded: unit >> shift) & 0xF
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
}
