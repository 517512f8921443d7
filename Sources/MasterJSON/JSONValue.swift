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

/// A mapping from names to values that preserves insertion order.
///
/// Keys are equal only if they have the same Unicode scalars, unlike Swift strings: `é` as one
/// scalar and `é` as two are different keys. Setting an existing key replaces its value and keeps
/// its position. Two objects are equal if they have equal values for the same keys, in any order.
public struct JSONObject: Sendable {
    @usableFromInline var storage: ExactDictionary<JSONValue>

    /// Creates an empty object.
    public init() {
        storage = ExactDictionary()
    }

    /// Creates an object from pairs; if a key occurs twice, the last value is used.
    @inlinable
    public init(_ pairs: some Sequence<(String, JSONValue)>) {
        storage = ExactDictionary()
        storage.reserveCapacity(pairs.underestimatedCount)
        for (key, value) in pairs {
            storage[key] = value
        }
    }

    /// Creates an object from values by name.
    public init(_ values: ExactDictionary<JSONValue>) {
        storage = values
    }

    /// The value for a key; assigning `nil` removes the key.
    public subscript(key: String) -> JSONValue? {
        get { storage[key] }
        set { storage[key] = newValue }
    }

    /// The value for a key, or the default if it is missing.
    public subscript(key: String, default defaultValue: @autoclosure () -> JSONValue) -> JSONValue {
        get { storage[key] ?? defaultValue() }
        set { storage[key] = newValue }
    }

    /// The keys, in order.
    public var keys: [String] {
        storage.keys
    }

    /// The values, in the order of their keys.
    public var values: [JSONValue] {
        storage.map(\.value)
    }

    /// Removes a key and returns its value.
    @discardableResult
    public mutating func removeValue(forKey key: String) -> JSONValue? {
        storage.updateValue(nil, forKey: key)
    }

    /// Sets every key of another object; new keys are appended.
    public mutating func merge(_ other: JSONObject) {
        for (key, value) in other.storage {
            storage[key] = value
        }
    }

    /// Returns the object with every key of another one set.
    public func merging(_ other: JSONObject) -> JSONObject {
        var merged = self
        merged.merge(other)
        return merged
    }

    /// Reserves capacity for a number of keys.
    public mutating func reserveCapacity(_ count: Int) {
        storage.reserveCapacity(count)
    }

    /// Returns the object with each value transformed by a closure.
    public func mapValues<Failure: Error>(
        _ transform: (JSONValue) throws(Failure) -> JSONValue
    ) throws(Failure) -> JSONObject {
        var mapped = self
        for index in storage.indices {
            mapped.storage.replaceValue(at: index, by: try transform(storage[index].value))
        }
        return mapped
    }
}

extension JSONObject: RandomAccessCollection {
    /// A key and its value.
    public typealias Element = (key: String, value: JSONValue)

    /// The position of the first key.
    public var startIndex: Int { 0 }

    /// The position after the last key.
    public var endIndex: Int { storage.count }

    /// The key and value at a position.
    public subscript(position: Int) -> Element {
        storage[position]
    }
}

extension JSONObject: Hashable {
    /// Whether both have equal values for the same keys.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.storage.count == right.storage.count
            && left.storage.allSatisfy { right.storage[$0.key] == $0.value }
    }

    /// Hashes the object independently of the order of keys.
    public func hash(into hasher: inout Hasher) {
        var combined = 0
        for (key, value) in storage {
            var pair = Hasher()
            pair.combine(key)
            pair.combine(value)
            combined ^= pair.finalize()
        }
        hasher.combine(combined)
        hasher.combine(storage.count)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Creates an object; if a key occurs twice, the last value is used.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements)
    }
}

extension JSONObject: CustomStringConvertible {
    /// The object as compact JSON.
    public var description: String {
        JSONWriter.compact.string(.object(self))
    }
}
