/// The properties of a build: named JSON values, each with the source that set it.
public struct Properties: Sendable, Hashable {
    /// One property's value and the name of what set it, such as `Builder` or a step's name.
    public struct Entry: Sendable, Hashable {
        /// The value, any JSON.
        public let value: JSONValue
        /// What set it.
        public let source: String

        /// Makes an entry.
        package init(value: JSONValue, source: String) {
            self.value = value
            self.source = source
        }
    }

    /// The longest name a property or a source may have, in characters.
    public static let maximumNameLength = 256

    /// All properties in the order in which they were first set.
    public private(set) var entries = ExactDictionary<Entry>()

    /// Makes an empty set of properties.
    public init() {}

    /// Makes properties of one source.
    public init(_ values: JSONObject, source: String) {
        for (name, value) in values {
            entries[name] = Entry(value: value, source: source)
        }
    }

    /// The value of a property, `nil` when it was never set.
    public subscript(name: String) -> JSONValue? { entries[name]?.value }

    /// Sets a property, replacing an earlier value and source; sizes are not checked.
    public mutating func set(_ name: String, _ value: JSONValue, source: String) {
        entries[name] = Entry(value: value, source: source)
    }

    /// Sets a property to a value that a step has made.
    ///
    /// - Throws: ``JSONTooLarge`` when the value, or all properties together, would be too large;
    ///   then nothing is changed.
    package mutating func setBounded(
        _ name: String, _ value: JSONValue, source: String
    ) throws(JSONTooLarge) {
        try Self.check(value, of: name)
        let before = entries.updateValue(Entry(value: value, source: source), forKey: name)
        do {
            try checkSize()
        } catch {
            entries.updateValue(before, forKey: name)
            throw error
        }
    }

    /// The most bytes that the value of a property may have.
    public static let maximumValueSize = 1 << 20

    /// The most bytes that all properties of a build may have together, with their names.
    package static let maximumSize = 4 << 20

    /// Checks that a value is not too large for a property.
    public static func check(_ value: JSONValue, of name: String) throws(JSONTooLarge) {
        var budget = JSONBudget(bytes: maximumValueSize)
        do {
            try budget.take(value)
        } catch {
            throw JSONTooLarge(
                "the value of the property '\(name.shortened)' \(error); keep large data in a file")
        }
    }

    /// Checks that all properties together are not too large for a build.
    package func checkSize() throws(JSONTooLarge) {
        var budget = JSONBudget(bytes: Self.maximumSize, values: .max)
        do {
            for (name, entry) in entries {
                try budget.take(.string(name))
                try budget.take(entry.value)
            }
        } catch {
            throw JSONTooLarge(
                "the properties of a build have at most \(Self.maximumSize >> 20) MiB together; "
                    + "keep large data in a file")
        }
    }

    /// Takes over all properties of another set; on equal names the other set wins.
    package mutating func merge(_ other: Properties) {
        for (name, entry) in other.entries { entries[name] = entry }
    }

    /// The data API's form: name → `[value, source]`.
    package var json: JSONObject {
        var object = JSONObject()
        for (name, entry) in entries {
            object[name] = .array([entry.value, .string(entry.source)])
        }
        return object
    }

    /// Reads the data API's form back; pairs of any other shape are left out.
    package init(json: JSONObject) {
        for (name, pair) in json {
            guard case .array(let parts) = pair, parts.count == 2,
                case .string(let source) = parts[1]
            else { continue }
            entries[name] = Entry(value: parts[0], source: source)
        }
    }

    /// The plain form: name → value.
    public var values: JSONObject {
        var object = JSONObject()
        for (name, entry) in entries {
            object[name] = entry.value
        }
        return object
    }
}
