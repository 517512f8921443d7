internal import MasterKit

/// JSON as a line for each key or element of its outermost level.
enum JSONOutline {
    private static let writer = JSONWriter(spacesAfterSeparators: true)

    /// The lines of a value.
    static func lines(_ value: JSONValue) -> [String] {
        switch value {
        case .object(let object) where !object.isEmpty:
            let pairs = object.map { pair in
                "\(text(.string(pair.key))): \(text(pair.value))"
            }
            return ["{"] + indented(pairs) + ["}"]
        case .array(let elements) where !elements.isEmpty:
            return ["["] + indented(elements.map(text)) + ["]"]
        default:
            return [text(value)]
        }
    }

    private static func text(_ value: JSONValue) -> String { writer.string(value) }

    private static func indented(_ lines: [String]) -> [String] {
        lines.enumerated().map { "  " + $1 + ($0 < lines.count - 1 ? "," : "") }
    }
}
