/// A single value, as text and with the way it was written.
public struct YAMLScalar: Sendable, Hashable {
    /// How a scalar is written.
    public enum Style: Sendable, Hashable {
        /// Without quotes.
        case plain
        /// In `'` quotes.
        case singleQuoted
        /// In `"` quotes.
        case doubleQuoted
        /// A block that begins with `|`.
        case literal
        /// A block that begins with `>`.
        case folded
    }

    /// The text, with quotes, escapes and line folding taken away; a number keeps its spelling.
    public let value: String
    /// How it is written.
    public let style: Style

    /// Creates a scalar.
    public init(_ value: String, style: Style = .plain) {
        self.value = value
        self.style = style
    }

    /// What the scalar is by YAML 1.2's core schema; all that is not plain is a string.
    public var resolved: Resolved { style == .plain ? Resolved(plain: value) : .string(value) }
}
