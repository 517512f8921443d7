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

    /// Whether the value is true in Python: not `null`, false, zero, or empty.
    public var isTruthy: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .number(let value): value != 0
        case .string(let value): !value.isEmpty
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
