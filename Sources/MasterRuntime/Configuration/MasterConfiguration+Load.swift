public import MasterKit

extension MasterConfiguration {
    /// What came of reading a file.
    public struct Loaded: Sendable {
        /// The configuration, `nil` when there is an error.
        public let configuration: MasterConfiguration?
        /// Errors and warnings in the order of their places.
        public let diagnostics: [Diagnostic]
        /// The text that the diagnostics are about.
        public let file: SourceFile
    }

    /// Reads a file and finds everything that is wrong with it.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - registry: The plugins it may name.
    ///   - environment: The environment for `!Env`.
    /// - Returns: The configuration, when it has no error, and everything found in it.
    public static func load(
        path: String, registry: Registry, environment: [String: String]
    ) -> Loaded {
        let parsed = YAMLParser.parse(contentsOf: path)
        let folder = absoluteFolder(of: path)
        let decoder = SettingDecoder(
            registry: registry, environment: environment, folder: folder)
        let assembler = ConfigurationAssembler(path: path, folder: folder, decoder: decoder)
        let configuration = parsed.root.flatMap { assembler.assemble($0) }
        let found = parsed.addingAliases(
            to: decoder.diagnostics.map { $0.located(in: parsed.file) })
        let diagnostics = (parsed.diagnostics + found).enumerated()
            .sorted { ($0.element.offset, $0.offset) < ($1.element.offset, $1.offset) }
            .map(\.element)
        let isValid = !diagnostics.contains { $0.severity == .error }
        return Loaded(
            configuration: isValid ? configuration : nil, diagnostics: diagnostics,
            file: parsed.file)
    }

    private static func absoluteFolder(of path: String) -> String {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return FilePaths.absolute(folder.isEmpty ? "/" : folder)
    }
}

extension Diagnostic {
    /// Where it stands; a note about the file as a whole is the last.
    fileprivate var offset: Int { range?.start.offset ?? (severity == .note ? .max : 0) }
}
