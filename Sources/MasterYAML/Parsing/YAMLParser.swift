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
        /// Where aliases repeat which parts of the document.
        var aliasUses = AliasUses()

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

extension YAMLParser {
    /// Reads a file.
    ///
    /// Only an ordinary file is read, and never more than ``maximumSize`` of it; a pipe or a device is
    /// refused without waiting for it.
    ///
    /// - Parameters:
    ///   - path: Where the file is.
    ///   - name: The name to show to people; by default the path.
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
        case .missing: "there is no such file; give its path with -c FILE"
        case .denied: "there is no permission to read the file; allow it with chmod +r"
        case .folder: "this is a folder; give the path of a file in it"
        case .special: "this is no ordinary file but a pipe, a socket or a device"
        case .tooLarge: "the file is larger than 16 MiB"
        case .nul: "a path cannot contain NUL"
        case .other(let words): "the file cannot be read: \(words)"
        }
    }
}
