public import FoundationEssentials

extension JSONValue {
    /// A text, or null.
    public static func optional(_ text: String?) -> JSONValue {
        text.map { .string($0) } ?? .null
    }

    /// A whole number, or null.
    public static func optional(_ number: Int?) -> JSONValue {
        number.map { .int($0) } ?? .null
    }

    /// A moment as the data API writes it: whole seconds since 1970, or null.
    public static func time(_ moment: Date?) -> JSONValue {
        guard let moment, let seconds = Int(exactly: moment.timeIntervalSince1970.rounded(.down))
        else { return .null }
        return .int(seconds)
    }
}
