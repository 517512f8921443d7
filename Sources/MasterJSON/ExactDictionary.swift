public import OrderedCollections

/// A mapping of names that users give to values, in the order in which the names were added.
///
/// Two names are the same when their scalars are. Swift takes texts for equal that look alike, such
/// as `é` in one scalar and in two, which JSON, YAML, SQL and the environment tell apart.
///
/// Generic, and used with types of other modules: it is inlinable, so that they get it specialised.
public struct ExactDictionary<Value> {
    @usableFromInline var storage: OrderedDictionary<ExactKey, Value>

    /// Makes an empty mapping.
    @inlinable
    public init() {
        storage = [:]
    }

    /// The value of a name; setting `nil` removes the name.
    @inlinable
    public subscript(name: String) -> Value? {
        get { storage[ExactKey(text: name)] }
        set { storage[ExactKey(text: name)] = newValue }
    }

    /// The names, in order.
    @inlinable
    public var keys: [String] { storage.keys.map(\.text) }

    /// Sets the value of a name, or removes the name when there is none.
    ///
    /// - Returns: The value that the name had.
    @inlinable
    @discardableResult
    public mutating func updateValue(_ value: Value?, forKey name: String) -> Value? {
        guard let value else { return storage.removeValue(forKey: ExactKey(text: name)) }
        return storage.updateValue(value, forKey: ExactKey(text: name))
    }

    /// Replaces the value at a place, whose name stays.
    mutating func replaceValue(at position: Int, by value: Value) {
        storage.values[position] = value
    }

    /// Makes room for a number of names.
    @inlinable
    public mutating func reserveCapacity(_ count: Int) {
        storage.reserveCapacity(count)
    }
}

extension ExactDictionary: RandomAccessCollection {
    /// A name and its value.
    public typealias Element = (key: String, value: Value)

    /// The place of the first name.
    @inlinable
    public var startIndex: Int { 0 }

    /// The place behind the last name.
    @inlinable
    public var endIndex: Int { storage.count }

    /// The name and value at a place.
    @inlinable
    public subscript(position: Int) -> Element {
        let element = storage.elements[position]
        return (element.key.text, element.value)
    }
}

extension ExactDictionary: ExpressibleByDictionaryLiteral {
    /// Makes a mapping; of a name that is given twice the last value counts.
    @inlinable
    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init()
        for (name, value) in elements { self[name] = value }
    }
}

extension ExactDictionary: Sendable where Value: Sendable {}
extension ExactDictionary: Equatable where Value: Equatable {}
extension ExactDictionary: Hashable where Value: Hashable {}

/// A text that is equal to one with the same scalars alone.
@usableFromInline
struct ExactKey: Hashable, Sendable {
    @usableFromInline let text: String

    @usableFromInline
    init(text: String) {
        self.text = text
    }

    @usableFromInline
    static func == (one: ExactKey, other: ExactKey) -> Bool {
        // What is the same to the letter is also the same to Swift, whose test is the faster one.
        one.text == other.text && one.text.utf8.elementsEqual(other.text.utf8)
    }

    @usableFromInline
    func hash(into hasher: inout Hasher) {
        hasher.combine(text)
    }
}
