import MasterKit
import Testing

/// A value of an `expected.json`: as it must be, or `{"matches": "a regular expression"}`.
struct ExpectedValue: Sendable, CustomStringConvertible {
    private let value: JSONValue

    init(_ value: JSONValue) {
        self.value = value
    }

    /// Whether a value is the expected one; the text of a value that is none must match as JSON.
    func admits(_ found: JSONValue?) throws -> Bool {
        guard let pattern = value["matches"]?.stringValue else { return found == value }
        guard let found else { return false }
        let text = found.stringValue ?? found.description
        return try Regex(pattern).wholeMatch(in: text) != nil
    }

    var description: String { value.description }
}
