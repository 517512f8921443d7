/// One malformed place of a format.
public struct InterpolationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One sentence that says what is wrong and what to write.
    public let message: String
    /// Where it is in the format, in UTF-8 bytes.
    public let range: Range<Int>

    /// Makes an error of its sentence and its place.
    public init(message: String, range: Range<Int>) {
        self.message = message
        self.range = range
    }

    /// The message.
    public var description: String { message }
}

/// Every malformed place of one format, in order.
public struct InterpolationErrors: Error, Sendable, Hashable, CustomStringConvertible {
    /// The places; never empty.
    public let errors: [InterpolationError]

    init(errors: [InterpolationError]) {
        self.errors = errors
    }

    /// The messages, a line each.
    public var description: String {
        errors.map(\.message).joined(separator: "\n")
    }
}

/// A value that a format needs and that is not there.
public struct InterpolationMissingValue: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the format refers to.
    public let reference: InterpolationReference

    /// One sentence that says what is missing.
    public var description: String {
        "\(reference) is missing; a format cannot be rendered without it"
    }
}
