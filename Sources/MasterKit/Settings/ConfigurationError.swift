/// Everything that is wrong with a configuration, gathered in one run.
public struct ConfigurationError: Error, CustomStringConvertible {
    /// The diagnostics, warnings among them, in the order of their places.
    public let diagnostics: [Diagnostic]

    /// Makes an error of diagnostics.
    public init(_ diagnostics: [Diagnostic]) {
        self.diagnostics = diagnostics
    }

    /// The messages, one a line.
    public var description: String {
        diagnostics.map(\.message).joined(separator: "\n")
    }
}
