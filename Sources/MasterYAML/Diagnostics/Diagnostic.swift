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
        _ severity: Severity,
        _ message: String,
        file: SourceFile? = nil,
        range: SourceRange? = nil,
        notes: [Note] = [],
        fix: Fix? = nil
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
        _ severity: Severity,
        _ message: String,
        at node: YAMLNode,
        notes: [Note] = [],
        fix: Fix? = nil
    ) {
        self.init(
            severity,
            message,
            file: node.file,
            range: node.range,
            notes: notes,
            fix: fix
        )
    }
}
