public import OrderedCollections

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
