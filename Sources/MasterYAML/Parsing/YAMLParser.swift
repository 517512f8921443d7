internal import Glibc

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
            return refusal(words(of: error, path), name: name)
        }
    }

    private static func words(of fault: RegularFile.Fault, _ path: String) -> String {
        if fault == .missing, let near = files(near: path).first(where: exists) {
            return "no such file; did you mean '-c \(near)'?"
        }
        switch fault {
        case .missing:
            return "no such file; pass its path with -c FILE, or write one with 'buildmaster init'"
        case .denied: return "permission denied; make the file readable with chmod +r"
        case .folder:
            let inside = path.hasSuffix("/") ? "\(path)master.yaml" : "\(path)/master.yaml"
            return exists(inside)
                ? "this is a folder; did you mean '-c \(inside)'?"
                : "this is a folder; pass the path of a file"
        case .special:
            return "this is a pipe, a socket or a device; pass the path of a regular file"
        case .tooLarge: return "the file is larger than 16 MiB"
        case .nul: return "a path cannot contain NUL"
        case .other(let words): return "the file cannot be read: \(words)"
        }
    }

    /// What may be meant by a missing file: one with the other ending, or a master.yaml above.
    private static func files(near path: String) -> [String] {
        let name = path.split(separator: "/").last ?? ""
        let folder = path.dropLast(name.count)
        guard !path.hasSuffix("/") else { return [] }
        let stem = name.prefix { $0 != "." }
        let endings = [".yaml", ".yml"].map { "\(folder)\(stem)\($0)" }
        let above = (1...8).map { "\(folder)\(String(repeating: "../", count: $0))master.yaml" }
        return endings + (name == "master.yaml" ? above : [])
    }

    private static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
}

/// Reads one file, parsing it again after each syntax error until all of them are reported.
struct DocumentReader {
    private static let maximumProblemCount = 20
    /// The maximum number of bytes that are parsed again to find further mistakes.
    private static let maximumRereading = 64 << 20
    /// The maximum number of directives; libyaml compares each one with all others.
    private static let maximumDirectiveCount = 50

    private let file: SourceFile
    private var repair: SyntaxRepair
    private var problems: [Diagnostic] = []
    /// The offsets of all problems so far.
    private var explained: [Range<Int>] = []

    init(file: SourceFile) {
        self.file = file
        self.repair = SyntaxRepair(file)
    }

    mutating func read() -> YAMLParser.Output {
        guard directiveCount <= Self.maximumDirectiveCount else {
            return YAMLParser.refusal(
                "the file has more than \(Self.maximumDirectiveCount) lines that start with '%'; "
                    + "remove them", name: file.name)
        }
        while true {
            var composer = Composer(
                file: file, repairs: repair.stretches, lacksSections: repair.lacksSections)
            let outcome = EventReader.reading(repair.bytes) { composer.compose($0) }
            switch outcome {
            case nil:
                return YAMLParser.refusal("not enough memory to read the file", name: file.name)
            case .finished(let root): return finished(root, composer)
            case .refused: return output(nil, composer)
            case .failed(let problem):
                guard canGoOn(after: problem, composer) else { return output(nil, composer) }
            }
        }
    }

    /// Reports a syntax error; false when reading cannot continue.
    private mutating func canGoOn(after problem: SyntaxProblem, _ composer: Composer) -> Bool {
        let explainer = SyntaxExplainer(
            file: file, bytes: repair.bytes, problem: problem, lastEvent: composer.lastEvent,
            lastScalar: composer.lastScalar, openBracket: composer.openBracket)
        var explanation = explainer.explain()
        if isConsequence(explanation) {
            explanation.recovery = .skipSection
        } else {
            problems.append(explanation.diagnostic(in: file))
        }
        explained.append(explanation.offsets)
        return explained.count < Self.maximumProblemCount
            && explained.count * file.bytes.count < Self.maximumRereading
            && repair.apply(explanation)
    }

    /// Whether a problem overlaps or directly follows a reported one, and so is its consequence.
    private func isConsequence(_ explanation: SyntaxExplanation) -> Bool {
        let start = explanation.offsets.lowerBound
        return explained.contains { earlier in
            earlier.overlaps(explanation.offsets)
                || earlier.upperBound <= start
                    && file.bytes[earlier.upperBound..<start].allSatisfy(\.isBlank)
        }
    }

    private func finished(_ root: YAMLNode?, _ composer: Composer) -> YAMLParser.Output {
        guard !repair.lacksSections else { return output(nil, composer) }
        let isEmpty = root.map { $0.isNull && $0.place?.offsets.isEmpty ?? false } ?? true
        guard isEmpty, problems.isEmpty, composer.diagnostics.isEmpty else {
            return output(root, composer)
        }
        return YAMLParser.refusal("the file is empty", name: file.name)
    }

    private func output(_ root: YAMLNode?, _ composer: Composer) -> YAMLParser.Output {
        let diagnostics = (problems + composer.diagnostics).enumerated().sorted {
            let left = $0.element.range?.start.offset ?? .max
            let right = $1.element.range?.start.offset ?? .max
            return (left, $0.offset) < (right, $1.offset)
        }
        return YAMLParser.Output(
            file: file, root: root, diagnostics: diagnostics.map(\.element),
            aliasUses: AliasUses(composer.aliases))
    }

    /// The number of lines with `%` before the document.
    private var directiveCount: Int {
        var count = 0
        for number in 1...file.lineCount {
            guard
                let first = file.bytes[file.byteRange(ofLine: number)].first(where: { !$0.isBlank })
            else { continue }
            if first == .percent { count += 1 } else if first != .hash { break }
        }
        return count
    }
}

/// A copy of a file in which syntax errors are overwritten, so that the rest can be parsed.
///
/// Every other byte keeps its offset.
struct SyntaxRepair {
    private(set) var bytes: [UInt8]
    /// The ranges of overwritten values.
    private(set) var stretches: [Range<Int>] = []
    /// Whether whole sections were skipped.
    private(set) var lacksSections = false

    init(_ file: SourceFile) { bytes = file.bytes }

    /// Overwrites a mistake; false when that changes nothing and parsing again would be pointless.
    mutating func apply(_ explanation: SyntaxExplanation) -> Bool {
        switch explanation.recovery {
        case .stop: return false
        case .overwrite(let value):
            stretches.append(value)
            return fill(value, with: UInt8(ascii: "x"))
        case .dropTag(let tag):
            stretches.append(tag.lowerBound..<explanation.offsets.upperBound)
            return fill(tag, with: .space)
        case .skipSection:
            let finder = SectionFinder(bytes)
            let start = finder.start(before: explanation.offsets.lowerBound)
            let end = finder.end(after: explanation.offsets.lowerBound)
            lacksSections = true
            return fill(start..<end, with: .space)
        }
    }

    private mutating func fill(_ range: Range<Int>, with filler: UInt8) -> Bool {
        var hasChanged = false
        for offset in range where !bytes[offset].isLineBreak && bytes[offset] != filler {
            bytes[offset] = filler
            hasChanged = true
        }
        return hasChanged
    }
}

/// Finds top-level sections: lines that start with a plain key at column 1.
struct SectionFinder {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Returns the start of the section that holds an offset; 0 when there is none before it.
    func start(before offset: Int) -> Int {
        var line = startOfLine(min(offset, bytes.count))
        while line > 0, !beginsSection(at: line) { line = startOfLine(line - 1) }
        return line
    }

    /// Returns the start of the next section after the line of an offset, or the end of the file.
    func end(after offset: Int) -> Int {
        var line = startOfNextLine(offset)
        while line < bytes.count, !beginsSection(at: line) { line = startOfNextLine(line) }
        return line
    }

    private func startOfLine(_ offset: Int) -> Int {
        var start = offset
        while start > 0, !bytes[start - 1].isLineBreak { start -= 1 }
        return start
    }

    private func startOfNextLine(_ offset: Int) -> Int {
        var next = offset
        while next < bytes.count, !bytes[next].isLineBreak { next += 1 }
        return min(next + 1, bytes.count)
    }

    private func beginsSection(at line: Int) -> Bool {
        var end = line
        while end < bytes.count, bytes[end].isNameCharacter || bytes[end] == UInt8(ascii: ".") {
            end += 1
        }
        guard end > line, bytes[line] != .dash, end < bytes.count, bytes[end] == .colon else {
            return false
        }
        return end + 1 == bytes.count || bytes[end + 1].isBlankOrBreak
    }
}

/// Reads regular files; pipes and devices, which may be endless or block, are rejected.
package enum RegularFile {
    /// The reason a file cannot be read.
    package enum Fault: Error, Hashable {
        /// The file does not exist.
        case missing
        /// Permission denied.
        case denied
        /// It is a folder.
        case folder
        /// It is a pipe, a socket or a device.
        case special
        /// It is larger than the limit.
        case tooLarge
        /// The path contains a NUL byte.
        case nul
        /// Another error, with the system's message.
        case other(String)

        init(errno code: Int32) {
            switch code {
            case ENOENT, ENOTDIR: self = .missing
            case EACCES, EPERM: self = .denied
            case ENXIO: self = .special
            default:
                let words = unsafe strerror(code).map { unsafe String(cString: $0) }
                self = .other(words ?? "error \(code)")
            }
        }
    }

    /// Returns the content of a file of at most `limit` bytes.
    package static func read(_ path: String, limit: Int) throws(Fault) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw .nul }
        let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Fault(errno: errno) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Fault(errno: errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw .folder
        default: throw .special
        }
        guard status.st_size <= limit else { throw .tooLarge }
        let content = try read(descriptor, expecting: Int(status.st_size), limit: limit)
        guard content.count <= limit else { throw .tooLarge }
        return content
    }

    /// Reads at most one chunk beyond the limit, because a file may grow while it is read.
    private static func read(
        _ descriptor: Int32, expecting size: Int, limit: Int
    ) throws(Fault) -> [UInt8] {
        var content: [UInt8] = []
        content.reserveCapacity(size)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while content.count <= limit {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Fault(errno: errno) }
            if count == 0 { break }
            content += chunk[..<count]
        }
        return content
    }
}
