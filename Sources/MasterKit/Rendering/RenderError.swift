/// A value that can't be computed at run time, with its place in the file.
public struct RenderError: Error, CustomStringConvertible {
    /// What is wrong and how to remedy it; holds no secret.
    public let message: String
    /// Where the value stands.
    public let range: SourceRange?

    /// Makes an error.
    public init(_ message: String, at range: SourceRange? = nil) {
        self.message = message
        self.range = range
    }

    /// The message, with the line it is about.
    public var description: String {
        guard let range else { return message }
        return "line \(range.start.line): \(message)"
    }
}
