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
