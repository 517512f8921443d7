/// Parses YAML into nodes with locations, and reports every mistake.
///
/// The language is YAML 1.2's core schema on libyaml's syntax, with merge keys. A file has one
/// document. Duplicate keys, unknown aliases and tags, alias bombs, depth over 200 and files over
/// 16 MiB are errors.
public enum YAMLParser {
    /// The maximum size of a file in bytes.
    public static let maximumSize = 16 << 20
    /// The maximum depth of lists and mappings.
    public static let maximumDepth = 200
    /// The maximum number of values, counting each list, mapping, key and scalar once.
    public static let maximumNodeCount = 500_000
    /// The maximum number of mistakes in nodes that are reported.
    static let maximumDiagnosticCount = 100

    /// The result of parsing.
    public struct Output: Sendable {
        /// The text that was read.
        public let file: SourceFile
        /// The document; nil when errors leave too little of it to be useful.
        ///
        /// Parts with reported mistakes are placeholders: ``YAMLNode/isPlaceholder``.
        public let root: YAMLNode?
        /// All mistakes in file order; never empty when `root` is nil.
        public let diagnostics: [Diagnostic]
        var aliasUses = AliasUses()

        /// Whether there is an error, so that the file cannot be used.
        public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
    }

    /// Parses a text in memory.
    public static func parse(_ text: String, name: String) -> Output {
        parse(bytes: Array(text.utf8), name: name)
    }

    /// Parses the bytes of a file: UTF-8, with or without a byte order mark.
    ///
    /// - Parameters:
    ///   - bytes: The whole content.
    ///   - name: The name of the file in diagnostics.
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

    /// Returns the output for a file that cannot be read.
    static func refusal(_ message: String, name: String) -> Output {
        let file = SourceFile(name: name, bytes: [])
        return Output(file: file, root: nil, diagnostics: [Diagnostic(.error, message, file: file)])
    }
}

extension YAMLParser {
    /// Parses a file.
    ///
    /// Only a regular file is read, up to ``maximumSize``; a pipe or a device is rejected without
    /// waiting.
    ///
    /// - Parameters:
    ///   - path: The path of the file.
    ///   - name: The name of the file in diagnostics; by default the path.
    /// - Returns: The document and the diagnostics.
    public static func parse(contentsOf path: String, name: String? = nil) -> Output {
        let name = name ?? path
        do throws(RegularFile.Fault) {
            return parse(bytes: try RegularFile.read(path, limit: maximumSize), name: name)
        } catch {
            return refusal(words(of: error), name: name)
        }
    }

    private static func words(of fault: RegularFile.Fault) -> String {
        switch fault {
        case .missing: "no such file; pass its path with -c FILE"
        case .denied: "permission denied; make the file readable with chmod +r"
        case .folder: "this is a folder; pass the path of a file"
        case .special: "this is a pipe, a socket or a device; pass the path of a regular file"
        case .tooLarge: "the file is larger than 16 MiB"
        case .nul: "a path cannot contain NUL"
        case .other(let words): "the file cannot be read: \(words)"
        }
    }
}
