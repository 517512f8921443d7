extension JSONValue {
    /// How deep lists and mappings may nest in the values of a build: in properties, in what is
    /// rendered, and in answers.
    ///
    /// Values are written, compared and masked by recursion, on threads whose stack may be small.
    public static let maximumDepth = 100
}

/// A limit on the size of a value, or of several together.
///
/// Sizes are counted before a value is copied or written, so that a value that holds another one many
/// times is refused before it takes memory.
public struct JSONBudget: Sendable {
    /// The most bytes of a rendered value, or of several in one list or mapping.
    public static let maximumBytes = 16 << 20
    /// The most values, counting each list, mapping and scalar once.
    public static let maximumValues = 250_000

    private let bytes: Int
    private let values: Int
    private var bytesLeft: Int
    private var valuesLeft: Int

    /// Makes a budget; by default that of a rendered value.
    public init(bytes: Int = maximumBytes, values: Int = maximumValues) {
        self.bytes = bytes
        self.values = values
        bytesLeft = bytes
        valuesLeft = values
    }

    /// How many values were taken.
    package var takenValues: Int { values - valuesLeft }

    /// Takes a value that stands in so many lists and mappings.
    ///
    /// - Throws: When it nests too deep, or when too little is left for it.
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

    /// Takes a list or mapping without what is in it.
    public mutating func open(_ depth: Int) throws(JSONTooLarge) {
        guard depth < JSONValue.maximumDepth else {
            throw JSONTooLarge("nests deeper than \(JSONValue.maximumDepth) levels")
        }
        try take(bytes: 2)
    }

    /// Takes a scalar or a key of a size.
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

/// Why a value is too large, or nests too deep.
public struct JSONTooLarge: Error, Hashable, CustomStringConvertible {
    /// What is wrong, in words.
    public let description: String

    package init(_ description: String) {
        self.description = description
    }
}

extension JSONNumber {
    /// How many bytes the number takes, roughly.
    fileprivate var size: Int {
        switch storage {
        case .integer, .double: 8
        case .json(let text), .yaml(let text): text.utf8.count
        }
    }
}
