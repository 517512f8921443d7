internal import OrderedCollections

/// A mapping of names that users give to values, in the order in which the names were added.
///
/// Two names are the same when their scalars are. Swift takes texts for equal that look alike, such
/// as `é` in one scalar and in two, which JSON, YAML, SQL and the environment tell apart.
public struct ExactDictionary<Value> {
    private var storage: OrderedDictionary<ExactKey, Value> = [:]

    /// Makes an empty mapping.
    public init() {}

    /// The value of a name; setting `nil` removes the name.
    public subscript(name: String) -> Value? {
        get { storage[ExactKey(text: name)] }
        set { storage[ExactKey(text: name)] = newValue }
    }

    /// The names, in order.
    public var keys: [String] { storage.keys.map(\.text) }

    /// Sets the value of a name, or removes the name when there is none.
    ///
    /// - Returns: The value that the name had.
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
    public mutating func reserveCapacity(_ count: Int) {
        storage.reserveCapacity(count)
    }
}

extension ExactDictionary: RandomAccessCollection {
    /// A name and its value.
    public typealias Element = (key: String, value: Value)

    /// The place of the first name.
    public var startIndex: Int { 0 }

    /// The place behind the last name.
    public var endIndex: Int { storage.count }

    /// The name and value at a place.
    public subscript(position: Int) -> Element {
        let element = storage.elements[position]
        return (element.key.text, element.value)
    }
}

extension ExactDictionary: ExpressibleByDictionaryLiteral {
    /// Makes a mapping; of a name that is given twice the last value counts.
    public init(dictionaryLiteral elements: (String, Value)...) {
        for (name, value) in elements { self[name] = value }
    }
}

extension ExactDictionary: Sendable where Value: Sendable {}
extension ExactDictionary: Equatable where Value: Equatable {}
extension ExactDictionary: Hashable where Value: Hashable {}

/// A text that is equal to one with the same scalars alone.
struct ExactKey: Hashable, Sendable {
    let text: String

    static func == (one: ExactKey, other: ExactKey) -> Bool {
        // What is the same to the letter is also the same to Swift, whose test is the faster one.
        one.text == other.text && one.text.utf8.elementsEqual(other.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(text)
    }
}
