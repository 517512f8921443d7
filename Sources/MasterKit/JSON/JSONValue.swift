/// A JSON value: what settings, properties, reports and answers are made of.
///
/// Objects keep the order in which their keys were written, numbers keep their spelling, and two
/// values are equal when they mean the same: the order of keys and the spelling of numbers do not
/// count.
public enum JSONValue: Sendable, Hashable {
    /// The value `null`.
    case null
    /// The value `true` or `false`.
    case bool(Bool)
    /// A number with its spelling.
    case number(JSONNumber)
    /// A text.
    case string(String)
    /// A list of values.
    case array([JSONValue])
    /// A mapping of names to values, in order.
    case object(JSONObject)

    /// The number that an integer stands for.
    public static func int(_ value: some BinaryInteger) -> JSONValue {
        .number(JSONNumber(value))
    }

    /// The number that a floating-point value stands for.
    public static func double(_ value: Double) -> JSONValue {
        .number(JSONNumber(value))
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value as compact JSON.
    public var description: String {
        JSONWriter.compact.string(self)
    }
}
