import MasterKit
import Testing

/// An expected value: the exact value, or `{"matches": "a regular expression"}`.
struct ExpectedValue: Sendable, CustomStringConvertible {
    private let value: JSONValue

    init(_ value: JSONValue) {
        self.value = value
    }

    /// Whether a value matches; a regular expression is matched against strings, and against other
    /// values as JSON.
    func admits(_ found: JSONValue?) throws -> Bool {
        guard let pattern = value["matches"]?.stringValue else { return found == value }
        guard let found else { return false }
        let text = found.stringValue ?? found.description
        return try Regex(pattern).wholeMatch(in: text) != nil
    }

    var description: String { value.description }
}
