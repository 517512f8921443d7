/// A mapping of names to values that keeps the order in which keys were added.
///
/// Keys are the same when their scalars are, as everywhere but in Swift: `é` in one scalar and `é` in
/// two are two keys. Setting a key that is there already replaces its value and keeps its place. Two
/// objects are equal when they hold the same values under the same keys, in whatever order.
public struct JSONObject: Sendable {
    @usableFromInline var storage: ExactDictionary<JSONValue>

    /// Makes an empty object.
    public init() {
        storage = ExactDictionary()
    }

    /// Makes an object of pairs; of a key that is given twice the last value counts.
    @inlinable
    public init(_ pairs: some Sequence<(String, JSONValue)>) {
        storage = ExactDictionary()
        storage.reserveCapacity(pairs.underestimatedCount)
        for (key, value) in pairs {
            storage[key] = value
        }
    }

    /// Makes an object of values by name.
    public init(_ values: ExactDictionary<JSONValue>) {
        storage = values
    }

    /// The value of a key; setting `nil` removes the key.
    public subscript(key: String) -> JSONValue? {
        get { storage[key] }
        set { storage[key] = newValue }
    }

    /// The value of a key, or the default when it is missing.
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

    /// Removes a key and returns the value it had.
    @discardableResult
    public mutating func removeValue(forKey key: String) -> JSONValue? {
        storage.updateValue(nil, forKey: key)
    }

    /// Sets every key of another object; what is new comes last.
    public mutating func merge(_ other: JSONObject) {
        for (key, value) in other.storage {
            storage[key] = value
        }
    }

    /// The object with every key of another one set.
    public func merging(_ other: JSONObject) -> JSONObject {
        var merged = self
        merged.merge(other)
        return merged
    }

    /// Makes room for a number of keys.
    public mutating func reserveCapacity(_ count: Int) {
        storage.reserveCapacity(count)
    }

    /// The object with each value replaced by what the closure makes of it.
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

    /// The place of the first key.
    public var startIndex: Int { 0 }

    /// The place behind the last key.
    public var endIndex: Int { storage.count }

    /// The key and value at a place.
    public subscript(position: Int) -> Element {
        storage[position]
    }
}

extension JSONObject: Hashable {
    /// Whether both hold equal values under the same keys.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.storage.count == right.storage.count
            && left.storage.allSatisfy { right.storage[$0.key] == $0.value }
    }

    /// Feeds the hasher in a way that does not depend on the order of keys.
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
    /// Makes an object; of a key that is given twice the last value counts.
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
