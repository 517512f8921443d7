extension JSONValue {
    /// How the value reads inside a text, or `nil` for `null`.
    ///
    /// A text reads as it is, a number as it was spelled, a boolean as `true` or `false`, a list or
    /// mapping as compact JSON.
    public var text: String? {
        switch self {
        case .null: nil
        case .bool(let value): value ? "true" : "false"
        case .number(let value): value.spelling
        case .string(let value): value
        case .array, .object: JSONWriter.compact.string(self)
        }
    }
}
