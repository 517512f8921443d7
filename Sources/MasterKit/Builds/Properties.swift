/// The properties of a build: named JSON values, each with the source that set it.
public struct Properties: Sendable, Hashable {
    /// A property's value and its source, such as `Builder` or a step's name.
    public struct Entry: Sendable, Hashable {
        /// The value, of any JSON type.
        public let value: JSONValue
        /// The source that set it.
        public let source: String

        package init(value: JSONValue, source: String) {
            self.value = value
            self.source = source
        }
    }

    /// The maximum length of the name of a property or a source, in characters.
    public static let maximumNameLength = 256

    /// All properties, in the order in which they were first set.
    public private(set) var entries = ExactDictionary<Entry>()

    /// Creates an empty set of properties.
    public init() {}

    /// Creates properties with one source.
    public init(_ values: JSONObject, source: String) {
        for (name, value) in values {
            entries[name] = Entry(value: value, source: source)
        }
    }

    /// The value of a property, or `nil` if it is not set.
    public subscript(name: String) -> JSONValue? { entries[name]?.value }

    /// Sets a property, replacing its previous value and source; sizes are not checked.
    public mutating func set(_ name: String, _ value: JSONValue, source: String) {
        entries[name] = Entry(value: value, source: source)
    }

    /// The names of properties that every build sets, whatever its request or worker say.
    package static let fixedNames = [
        "basedir", "builddir", "builderid", "buildername", "buildnumber", "workername",
    ]

    /// Warns of values in a setting `properties` that every build replaces.
    package static func warnOfFixed(_ properties: JSONObject, in settings: SettingsCheck) {
        for name in fixedNames where properties[name] != nil {
            settings.warning(
                "'\(name)' has no effect here, as every build sets it; give the property another "
                    + "name", at: "properties")
        }
    }

    /// Sets the properties that a build has from its only source.
    package mutating func set(_ stamp: SourceStamp) {
        for name in ["branch", "revision", "repository", "codebase", "project"] {
            set(name, stamp.attribute(name) ?? .null, source: "Build")
        }
    }

    /// Sets a property to a value produced by a step.
    ///
    /// - Throws: ``JSONTooLarge`` if the value, or all properties together, would be too large; the
    ///   properties are then unchanged.
    package mutating func setBounded(
        _ name: String, _ value: JSONValue, source: String
    ) throws(JSONTooLarge) {
        var size = size
        try setBounded(name, value, source: source, of: &size)
    }

    /// Sets a property to a value produced by a step, where the size of all properties is known.
    package mutating func setBounded(
        _ name: String, _ value: JSONValue, source: String, of size: inout Int
    ) throws(JSONTooLarge) {
        try Self.check(value, of: name)
        let before = self[name].map { Self.size(of: $0, named: name) } ?? 0
        let new = size - before + Self.size(of: value, named: name)
        guard new <= Self.maximumSize else { throw Self.tooLarge }
        entries[name] = Entry(value: value, source: source)
        size = new
    }

    /// The maximum size of a property's value, in bytes.
    public static let maximumValueSize = 1 << 20

    /// The maximum size of all properties of a build, including their names, in bytes.
    package static let maximumSize = 4 << 20

    /// Throws if a value is too large for a property.
    public static func check(_ value: JSONValue, of name: String) throws(JSONTooLarge) {
        var budget = JSONBudget(bytes: maximumValueSize)
        do {
            try budget.take(value)
        } catch {
            throw JSONTooLarge(
                "the value of the property '\(name.shortened)' \(error); keep large data in a file")
        }
    }

    /// Throws if the properties together are too large for a build.
    package func checkSize() throws(JSONTooLarge) {
        if size > Self.maximumSize { throw Self.tooLarge }
    }

    /// The size of all properties, including their names, in bytes.
    package var size: Int {
        entries.reduce(0) { $0 + Self.size(of: $1.value.value, named: $1.key) }
    }

    private static func size(of value: JSONValue, named name: String) -> Int {
        var budget = JSONBudget(bytes: .max, values: .max)
        do {
            try budget.take(.string(name))
            try budget.take(value)
        } catch {
            return maximumSize + 1  // It is nested too deeply.
        }
        return budget.takenBytes
    }

    private static var tooLarge: JSONTooLarge {
        JSONTooLarge(
            "the properties of a build have at most \(maximumSize >> 20) MiB together; "
                + "keep large data in a file")
    }

    /// Merges another set of properties, whose values take precedence.
    package mutating func merge(_ other: Properties) {
        for (name, entry) in other.entries { entries[name] = entry }
    }

    /// The properties in the data API's form: name → `[value, source]`.
    package var json: JSONObject {
        var object = JSONObject()
        for (name, entry) in entries {
            object[name] = .array([entry.value, .string(entry.source)])
        }
        return object
    }

    /// Creates properties from the data API's form; malformed pairs are skipped.
    package init(json: JSONObject) {
        for (name, pair) in json {
            guard case .array(let parts) = pair, parts.count == 2,
                case .string(let source) = parts[1]
            else { continue }
            entries[name] = Entry(value: parts[0], source: source)
        }
    }

    /// The values by name, without sources.
    public var values: JSONObject {
        var object = JSONObject()
        for (name, entry) in entries {
            object[name] = entry.value
        }
        return object
    }
}
