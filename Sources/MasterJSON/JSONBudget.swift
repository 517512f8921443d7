extension JSONValue {
    /// The maximum nesting depth of lists and mappings in the values of a build: in properties,
    /// rendered values, and responses.
    ///
    /// Values are written, compared and masked recursively, on threads whose stacks may be small.
    public static let maximumDepth = 100
}

/// A limit on the size of one value, or of several together.
///
/// Sizes are counted before a value is copied or written, so that a value that contains another one
/// many times is rejected before it takes up memory.
public struct JSONBudget: Sendable {
    /// The maximum size of a rendered value, or of several in one list or mapping, in bytes.
    public static let maximumBytes = 16 << 20
    /// The maximum number of values, counting each list, mapping and scalar once.
    public static let maximumValues = 250_000

    private let bytes: Int
    private let values: Int
    private var bytesLeft: Int
    private var valuesLeft: Int

    /// Creates a budget; by default that of a rendered value.
    public init(bytes: Int = maximumBytes, values: Int = maximumValues) {
        self.bytes = bytes
        self.values = values
        bytesLeft = bytes
        valuesLeft = values
    }

    /// The number of values charged.
    package var takenValues: Int { values - valuesLeft }

    /// The number of bytes charged.
    package var takenBytes: Int { bytes - bytesLeft }

    /// Charges a value at a nesting depth.
    ///
    /// - Throws: If it is nested too deeply or exceeds the remaining budget.
    public mutating func take(_ value: JSONValue, depth: Int = 0) throws(JSONTooLarge) {
        switch value {
        case .null, .bool: try take(bytes: 4)
        case .number(let number): try take(bytes: number.size)
        case .string(let text): try take(bytes: text.utf8.count)
        case .array(let items):
            try open(depth)
            for item in items { try take(item, depth: depth + 1) }
        case .object(let object):
            try open(depth)
            for (key, value) in object {
                try take(bytes: key.utf8.count)
                try take(value, depth: depth + 1)
            }
        }
    }

    /// Charges a list or mapping without its contents.
    public mutating func open(_ depth: Int) throws(JSONTooLarge) {
        guard depth < JSONValue.maximumDepth else {
            throw JSONTooLarge("nests deeper than \(JSONValue.maximumDepth) levels")
        }
        try take(bytes: 2)
    }

    /// Charges a scalar or key with its size in bytes.
    public mutating func take(bytes count: Int) throws(JSONTooLarge) {
        valuesLeft -= 1
        guard valuesLeft >= 0 else {
            throw JSONTooLarge("has more than \(values) values")
        }
        guard count <= bytesLeft else {
            throw JSONTooLarge("is larger than \(bytes >> 20) MiB")
        }
        bytesLeft -= count
    }
}

/// An error: a value is too large or too deeply nested.
public struct JSONTooLarge: Error, Hashable, CustomStringConvertible {
    /// What is wrong.
    public let description: String

    package init(_ description: String) {
        self.description = description
    }
}

extension JSONNumber {
    /// The approximate size of the number in bytes.
    fileprivate var size: Int {
        switch storage {
        case .integer, .double: 8
        case .json(let text), .yaml(let text): text.utf8.count
        }
    }
}
