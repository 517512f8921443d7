/// A name and a value: one field of a form, one parameter of a query, one cookie of a request.
public struct HTTPPair: Hashable, Sendable {
    /// The name, not encoded.
    public var name: String
    /// The value, not encoded.
    public var value: String

    /// Makes a pair of a name and a value.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
