/// A mistake in a user's file: what is wrong, where, and how to fix it.
public struct Diagnostic: Sendable, Hashable {
    /// The severity of a diagnostic.
    public enum Severity: String, Sendable, Hashable, CaseIterable {
        /// The file cannot be used.
        case error
        /// The file can be used, but probably does not do what was intended.
        case warning
        /// Something worth knowing.
        case note
    }

    /// A further location that belongs to a diagnostic, such as the first of two equal keys.
    public struct Note: Sendable, Hashable {
        /// The message, such as "first defined here".
        public let message: String
        /// The location, in the file of the diagnostic.
        public let range: SourceRange?

        /// Creates a note.
        public init(_ message: String, range: SourceRange? = nil) {
            self.message = message
            self.range = range
        }
    }

    /// A change that fixes the mistake.
    public struct Fix: Sendable, Hashable {
        /// A description of the fix, shown below the source line; nil when the message already
        /// contains it.
        public let message: String?
        /// The text that replaces `range`; nil when a tool cannot make the change.
        public let replacement: String?
        /// The range to be replaced.
        public let range: SourceRange?

        /// Creates a fix from a message, a replacement, or both.
        public init(message: String? = nil, replacement: String? = nil, range: SourceRange? = nil) {
            self.message = message
            self.replacement = replacement
            self.range = range
        }
    }

    /// The severity.
    public let severity: Severity
    /// What is wrong and how to fix it, in one sentence.
    public let message: String
    /// The file.
    public let file: SourceFile?
    /// The location; nil when the diagnostic is about the whole file.
    public let range: SourceRange?
    /// Further locations.
    public let notes: [Note]
    /// A change that fixes it.
    public let fix: Fix?

    /// Creates a diagnostic.
    public init(
        _ severity: Severity, _ message: String, file: SourceFile? = nil, range: SourceRange? = nil,
        notes: [Note] = [], fix: Fix? = nil
    ) {
        self.severity = severity
        self.message = message
        self.file = file
        self.range = range
        self.notes = notes
        self.fix = fix
    }

    /// Creates a diagnostic about a node, with the node's file and range.
    public init(
        _ severity: Severity, _ message: String, at node: YAMLNode, notes: [Note] = [],
        fix: Fix? = nil
    ) { self.init(severity, message, file: node.file, range: node.range, notes: notes, fix: fix) }

    /// Returns the diagnostic with a file, unless it already has one.
    public func located(in file: SourceFile) -> Diagnostic {
        Diagnostic(
            severity, message, file: self.file ?? file, range: range, notes: notes, fix: fix)
    }

    /// Returns the diagnostic with further notes.
    public func adding(_ more: [Note]) -> Diagnostic {
        Diagnostic(severity, message, file: file, range: range, notes: notes + more, fix: fix)
    }
}

extension Diagnostic {
    /// A part of a rendered diagnostic, which a terminal may colour.
    public enum Part: Sendable, Hashable {
        /// The file name, line and column.
        case location
        /// The word `error`, `warning` or `note`.
        case severity(Severity)
        /// The message.
        case message
        /// The line number and the bar.
        case gutter
        /// The line of the file.
        case source
        /// The caret and the tildes.
        case underline(Severity)
    }

    /// Renders the diagnostic as text, without a trailing line feed.
    ///
    /// - Parameter style: Returns the styled form of each part; it must not change its width.
    /// - Returns: The head line, the source line with a caret, the notes and the fix.
    public func rendered(style: (Part, String) -> String = { $1 }) -> String {
        var lines = block(severity, message, range, style)
        for note in notes { lines += block(.note, note.message, note.range, style) }
        if let fix = fix?.message {
            lines.append(style(.gutter, "    = ") + style(.message, "fix: \(fix.escapingControls)"))
        }
        return lines.joined(separator: "\n")
    }

    private func block(
        _ severity: Severity, _ message: String, _ range: SourceRange?,
        _ style: (Part, String) -> String
    ) -> [String] {
        let place = [file?.name.escapingControls, range?.start.description].compactMap(\.self)
        let location =
            place.isEmpty ? "" : style(.location, place.joined(separator: ":") + ":") + " "
        let head =
            location + style(.severity(severity), "\(severity.rawValue):") + " "
            + style(.message, message.escapingControls)
        guard let file, let range, let snippet = SourceSnippet(file: file, range: range) else {
            return [head]
        }
        let number = "  \(range.start.line)"
        let blank = String(repeating: " ", count: number.count)
        return [
            head, style(.gutter, number + " |") + " " + style(.source, snippet.source),
            style(.gutter, blank + " |") + " " + snippet.indentation
                + style(.underline(severity), snippet.underline),
        ]
    }
}

extension Diagnostic: CustomStringConvertible {
    /// The diagnostic rendered without a style.
    public var description: String { rendered() }
}
