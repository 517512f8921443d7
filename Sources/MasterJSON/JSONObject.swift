public import OrderedCollections

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

/// A mapping from user-defined names to values, in insertion order.
///
/// Two names are equal only if they have the same Unicode scalars. Swift treats canonically
/// equivalent strings as equal, such as `é` as one scalar and as two, which JSON, YAML, SQL and the
/// environment distinguish.
///
/// Generic and used with types of other modules, so it is inlinable to allow specialization there.
public struct ExactDictionary<Value> {
    @usableFromInline var storage: OrderedDictionary<ExactKey, Value>

    /// Creates an empty mapping.
    @inlinable
    public init() {
        storage = [:]
    }

    /// The value for a name; assigning `nil` removes the name.
    @inlinable
    public subscript(name: String) -> Value? {
        get { storage[ExactKey(text: name)] }
        set { storage[ExactKey(text: name)] = newValue }
    }

    /// The names, in order.
    @inlinable
    public var keys: [String] { storage.keys.map(\.text) }

    /// Sets the value for a name, or removes the name if the value is `nil`.
    ///
    /// - Returns: The previous value.
    @inlinable
    @discardableResult
    public mutating func updateValue(_ value: Value?, forKey name: String) -> Value? {
        guard let value else { return storage.removeValue(forKey: ExactKey(text: name)) }
        return storage.updateValue(value, forKey: ExactKey(text: name))
    }

    /// Replaces the value at a position, keeping its name.
    mutating func replaceValue(at position: Int, by value: Value) {
        storage.values[position] = value
    }

    /// Reserves capacity for a number of names.
    @inlinable
    public mutating func reserveCapacity(_ count: Int) {
        storage.reserveCapacity(count)
    }
}

extension ExactDictionary: RandomAccessCollection {
    /// A name and its value.
    public typealias Element = (key: String, value: Value)

    /// The position of the first name.
    @inlinable
    public var startIndex: Int { 0 }

    /// The position after the last name.
    @inlinable
    public var endIndex: Int { storage.count }

    /// The name and value at a position.
    @inlinable
    public subscript(position: Int) -> Element {
        let element = storage.elements[position]
        return (element.key.text, element.value)
    }
}

extension ExactDictionary: ExpressibleByDictionaryLiteral {
    /// Creates a mapping; if a name occurs twice, the last value is used.
    @inlinable
    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init()
        for (name, value) in elements { self[name] = value }
    }
}

extension ExactDictionary: Sendable where Value: Sendable {}
extension ExactDictionary: Equatable where Value: Equatable {}
extension ExactDictionary: Hashable where Value: Hashable {}

/// A string that compares equal only if the Unicode scalars are the same.
@usableFromInline
struct ExactKey: Hashable, Sendable {
    @usableFromInline let text: String

    @usableFromInline
    init(text: String) {
        self.text = text
    }

    @usableFromInline
    static func == (one: ExactKey, other: ExactKey) -> Bool {
        // Strings with the same scalars are also equal in Swift, whose comparison is faster.
        one.text == other.text && one.text.utf8.elementsEqual(other.text.utf8)
    }

    @usableFromInline
    func hash(into hasher: inout Hasher) {
        hasher.combine(text)
    }
}
