/// A JSON value: what settings, properties, reports and answers are made of.
///
/// Objects keep the order in which their keys were written, numbers keep their spelling, and two
/// values are equal when they mean the same: the order of keys and the spelling of numbers do not
/// count.
public enum JSONValue: Sendable, Hashable {
    /// The value `null`.
    case null
    /// The value `true` or `false`.
    case bool(Bool)
    /// A number with its spelling.
    case number(JSONNumber)
    /// A text.
    case string(String)
    /// A list of values.
    case array([JSONValue])
    /// A mapping of names to values, in order.
    case object(JSONObject)

    /// The number that an integer stands for.
    public static func int(_ value: some BinaryInteger) -> JSONValue {
        .number(JSONNumber(value))
    }

    /// The number that a floating-point value stands for.
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

    /// The boolean, when the value is one.
    public var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The text, when the value is one.
    public var stringValue: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    /// The number with its spelling, when the value is one.
    public var numberValue: JSONNumber? {
        guard case .number(let value) = self else { return nil }
        return value
    }

    /// The whole number, when the value is one and fits.
    public var intValue: Int? {
        numberValue?.intValue
    }

    /// The nearest floating-point number, when the value is a number.
    public var doubleValue: Double? {
        numberValue?.doubleValue
    }

    /// The list, when the value is one.
    public var arrayValue: [JSONValue]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    /// The object, when the value is one.
    public var objectValue: JSONObject? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    /// The value of a key, when the value is an object that has it.
    ///
    /// Setting a key of anything but an object replaces the value by an object with that key;
    /// setting `nil` removes the key.
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

    /// The element at an index, when the value is a list that is long enough.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let array) = self, array.indices.contains(index) else { return nil }
        return array[index]
    }

    /// Whether Python would take the value for true: not `null`, false, zero, or empty.
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
    /// Makes `null`.
    public init(nilLiteral: ()) {
        self = .null
    }
}

extension JSONValue: ExpressibleByBooleanLiteral {
    /// Makes a boolean.
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }
}

extension JSONValue: ExpressibleByIntegerLiteral {
    /// Makes a whole number.
    public init(integerLiteral value: Int) {
        self = .number(JSONNumber(value))
    }
}

extension JSONValue: ExpressibleByFloatLiteral {
    /// Makes a number with a fraction.
    public init(floatLiteral value: Double) {
        self = .number(JSONNumber(value))
    }
}

extension JSONValue: ExpressibleByStringInterpolation {
    /// Makes a text.
    public init(stringLiteral value: String) {
        self = .string(value)
    }
}

extension JSONValue: ExpressibleByArrayLiteral {
    /// Makes a list.
    public init(arrayLiteral elements: JSONValue...) {
        self = .array(elements)
    }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
    /// Makes an object; of a key that is given twice the last value counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

extension JSONValue {
    /// How the value reads inside a text, or `nil` for `null`.
    ///
    /// A text reads as it is, a number as it was spelled, a boolean as `true` or `false`, a list or
    /// mapping as compact JSON.
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
