import FoundationEssentials
public import MasterKit

/// A YAML file annotated with the diagnostics it should produce, for tests of what a plugin
/// accepts.
///
/// A wrong line ends in `# error 7: what is wrong` or `# warning 7: …`, where 7 is the column;
/// `# error 7-9: …` also checks the column after the last character. There may be several on a line.
/// Notes follow a message in brackets, with their line numbers: `… [3: the first one is here]`.
///
/// ```swift
/// @Test(arguments: try ConfigurationFixture.names(in: folder))
/// func `a file is told all its mistakes`(name: String) throws {
///     let fixture = try ConfigurationFixture(name, in: folder)
///     let diagnostics = …
///     #expect(ConfigurationFixture.words(diagnostics) == fixture.expected)
/// }
/// ```
public struct ConfigurationFixture: Sendable {
    /// The path of the file.
    public let path: String
    /// The content of the file.
    public let text: String

    /// Reads a file of a folder.
    public init(_ name: String, in folder: String) throws {
        path = "\(folder)/\(name)"
        text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
    }

    /// Returns the names of all YAML files in a folder, sorted.
    public static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".yaml") }.sorted()
    }

    /// The expected diagnostics, sorted: `line:column: severity: message`, with two columns where
    /// the file has two.
    public var expected: [String] {
        let remark = /# (error|warning) ([\d\-]+): (.*?)(?=$| # (?:error|warning) [\d\-]+:)/
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().flatMap { index, line in
            line.matches(of: remark).map { "\(index + 1):\($0.2): \($0.1): \($0.3)" }
        }.sorted()
    }

    /// Formats diagnostics like ``expected``, sorted.
    ///
    /// - Parameters:
    ///   - diagnostics: The diagnostics to format.
    ///   - tellsEnds: Whether the column after the last character is included.
    /// - Returns: A line for each diagnostic.
    public static func words(_ diagnostics: [Diagnostic], tellsEnds: Bool = false) -> [String] {
        diagnostics.map { diagnostic in
            let notes = diagnostic.notes.map { note in
                " [\(note.range.map { "\($0.start.line)" } ?? "nowhere"): \(note.message)]"
            }
            let end = diagnostic.range.map { tellsEnds ? "-\($0.end.column)" : "" } ?? ""
            let place = diagnostic.range.map { "\($0.start)\(end)" } ?? "nowhere"
            return "\(place): \(diagnostic.severity.rawValue): \(diagnostic.message)"
                + notes.joined()
        }.sorted()
    }
}
