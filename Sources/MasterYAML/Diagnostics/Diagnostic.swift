/// Something to say about a user's file: what is wrong, where, and how to remedy it.
public struct Diagnostic: Sendable, Hashable {
    /// How grave a diagnostic is.
    public enum Severity: String, Sendable, Hashable, CaseIterable {
        /// The file cannot be used.
        case error
        /// The file can be used, but probably does not do what is meant.
        case warning
        /// Something worth knowing.
        case note
    }

    /// A further place that belongs to a diagnostic, such as the first of two equal keys.
    public struct Note: Sendable, Hashable {
        /// What is to be seen there.
        public let message: String
        /// The place, in the file of the diagnostic.
        public let range: SourceRange?

        /// Creates a note.
        public init(_ message: String, range: SourceRange? = nil) {
            self.message = message
            self.range = range
        }
    }

    /// A change that remedies the fault.
    public struct Fix: Sendable, Hashable {
        /// The remedy in words, shown below the source line; nil when the message says it already.
        public let message: String?
        /// The text to put in place of `range`; nil when the change cannot be made by a machine.
        public let replacement: String?
        /// What is to be replaced.
        public let range: SourceRange?

        /// Creates a fix from words, from a replacement, or from both.
        public init(message: String? = nil, replacement: String? = nil, range: SourceRange? = nil) {
            self.message = message
            self.replacement = replacement
            self.range = range
        }
    }

    /// How grave it is.
    public let severity: Severity
    /// What is wrong and how to remedy it, in one sentence.
    public let message: String
    /// The file it is about.
    public let file: SourceFile?
    /// The place; nil when it is about the file as a whole.
    public let range: SourceRange?
    /// Further places.
    public let notes: [Note]
    /// A change that remedies it.
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

    /// Returns the diagnostic with a file, unless it has one already.
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
    /// A piece of a rendered diagnostic, which a terminal may colour.
    public enum Part: Sendable, Hashable {
        /// The file name, line and column.
        case location
        /// The word `error`, `warning` or `note`.
        case severity(Severity)
        /// The sentence.
        case message
        /// The line number and the bar.
        case gutter
        /// The line of the file.
        case source
        /// The caret and the tildes.
        case underline(Severity)
    }

    /// Renders the diagnostic as text, without a line end after the last line.
    ///
    /// - Parameter style: Gives each piece its final form; it must not change its width on screen.
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
    /// The diagnostic as ``rendered(style:)`` gives it without a style.
    public var description: String { rendered() }
}
