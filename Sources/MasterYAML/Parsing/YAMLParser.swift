/// Reads YAML into nodes with places, and says everything that is wrong with it.
///
/// The language is YAML 1.2's core schema on libyaml's syntax, with merge keys. A file has one document.
/// Duplicate keys, unknown aliases, alias bombs, depth over 200 and files over 16 MiB are refused.
public enum YAMLParser {
    /// The most bytes that a file may have.
    public static let maximumSize = 16 << 20
    /// The deepest nesting of lists and mappings.
    public static let maximumDepth = 200
    /// The most values, counting each list, mapping, key and scalar once.
    public static let maximumNodeCount = 500_000
    /// The most mistakes of one kind of reading that are shown in one run.
    static let maximumDiagnosticCount = 100

    /// What was read.
    public struct Output: Sendable {
        /// The text that was read.
        public let file: SourceFile
        /// The document; nil when an error leaves too little of it to go on with.
        ///
        /// Parts with mistakes that were reported are placeholders: ``YAMLNode/isPlaceholder``.
        public let root: YAMLNode?
        /// All that is wrong, in the order of the file; empty only when `root` is there.
        public let diagnostics: [Diagnostic]

        /// Whether anything is so wrong that the file cannot be used.
        public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
    }

    /// Reads a text in memory.
    public static func parse(_ text: String, name: String) -> Output {
        parse(bytes: Array(text.utf8), name: name)
    }

    /// Reads the bytes of a file, which must be UTF-8, with or without a byte order mark.
    ///
    /// - Parameters:
    ///   - bytes: The whole content.
    ///   - name: The name of the file as it is shown to people.
    /// - Returns: The document and the diagnostics.
    public static func parse(bytes: [UInt8], name: String) -> Output {
        guard bytes.count <= maximumSize else {
            return refusal("the file is larger than 16 MiB", name: name)
        }
        let check = EncodingCheck(bytes, name: name)
        guard check.diagnostics.isEmpty else {
            return Output(file: check.file, root: nil, diagnostics: check.diagnostics)
        }
        var reader = DocumentReader(file: check.file)
        return reader.read()
    }

    /// Returns the output for a file that cannot be read at all.
    static func refusal(_ message: String, name: String) -> Output {
        let file = SourceFile(name: name, bytes: [])
        return Output(file: file, root: nil, diagnostics: [Diagnostic(.error, message, file: file)])
    }
}
