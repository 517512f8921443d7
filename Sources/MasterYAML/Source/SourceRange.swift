/// A stretch of a source file, from its first character up to, but not including, its end.
public struct SourceRange: Sendable, Hashable {
    /// The place of the first character.
    public let start: SourcePosition
    /// The place after the last character.
    public let end: SourcePosition

    /// Creates a range; an end before the start makes the range empty.
    public init(start: SourcePosition, end: SourcePosition) {
        self.start = start
        self.end = max(start, end)
    }

    /// Whether the range holds no character.
    public var isEmpty: Bool { start.offset == end.offset }
}

extension SourceRange: CustomStringConvertible {
    /// The range as `line:column-line:column`.
    public var description: String { "\(start)-\(end)" }
}
