/// Finds the mistake behind a syntax error, from libyaml's message and its location.
struct SyntaxExplainer {
    let file: SourceFile
    /// The bytes as they were read, with earlier mistakes overwritten.
    let bytes: [UInt8]
    let problem: SyntaxProblem
    /// The last event before the problem.
    let lastEvent: Range<Int>
    /// The last scalar before the problem.
    let lastScalar: (scalar: YAMLScalar, offsets: Range<Int>)?
    /// Where the innermost open collection starts, if it is in flow style.
    let openBracket: Int?

    /// Whether the innermost open collection is in flow style.
    var isInFlow: Bool { openBracket != nil }

    func explain() -> SyntaxExplanation {
        let aboutText = unclosedBracket() ?? character() ?? template() ?? tags() ?? quotes()
        let aboutStructure = blockScalar() ?? mapping() ?? flow() ?? indentation() ?? document()
        return aboutText ?? aboutStructure ?? unknown()
    }

    private func unknown() -> SyntaxExplanation {
        SyntaxExplanation(
            message: "YAML does not allow this here; text with special characters needs quotes",
            offsets: word(at: problem.offset), recovery: .stop)
    }
}

extension SyntaxExplainer {
    /// Whether libyaml's message contains a phrase.
    func says(_ phrase: String) -> Bool { problem.problem.contains(phrase) }

    /// The byte at the problem; nil at the end of the file.
    var byte: UInt8? { problem.offset < bytes.count ? bytes[problem.offset] : nil }

    /// The line of the problem.
    var parts: LineParts { parts(at: problem.offset) }

    /// Returns the parts of the line at an offset.
    func parts(at offset: Int) -> LineParts {
        LineParts(bytes, line: file.byteRange(ofLineAt: offset))
    }

    /// Returns the text between two offsets as it is in the file, shortened.
    func text(_ offsets: Range<Int>) -> String { file.text(ofUTF8: offsets).clipped }

    func isSameLine(_ first: Int, _ second: Int) -> Bool {
        file.lineNumber(ofUTF8Offset: first) == file.lineNumber(ofUTF8Offset: second)
    }

    /// Returns the range from an offset to the next blank or the end of the line.
    func word(at offset: Int) -> Range<Int> {
        let rest = offset..<max(file.byteRange(ofLineAt: offset).upperBound, offset)
        return offset..<(rest.first { bytes[$0].isBlank } ?? rest.upperBound)
    }

    /// Returns the range of the text that starts at an offset: a key, a value, or an item in
    /// brackets.
    func value(at offset: Int) -> Range<Int> {
        let parts = parts(at: offset)
        if let key = parts.key, key.contains(offset) { return offset..<key.upperBound }
        var end = max(parts.value.upperBound, offset)
        if isInBrackets(at: offset) {
            end = (offset..<end).first { bytes[$0].isFlowIndicator } ?? end
            while end > offset, bytes[end - 1].isBlank { end -= 1 }
        }
        return offset..<end
    }

    /// Whether an offset is inside brackets, judging by the events and its line.
    private func isInBrackets(at offset: Int) -> Bool {
        if isInFlow { return true }
        let parts = parts(at: offset)
        let start = parts.key == nil ? parts.contentStart : parts.value.lowerBound
        return BracketScan(bytes, min(start, offset)..<offset).depth > 0
    }

    /// Returns the text in double quotes.
    func quoted(_ offsets: Range<Int>) -> String {
        let escaped = file.text(ofUTF8: offsets).map { character in
            character == "\"" || character == "\\" ? "\\\(character)" : String(character)
        }
        return "\"\(escaped.joined())\""
    }

    /// Returns how to skip a value: by itself if it certainly ends with its line, else with its
    /// section.
    func recovery(over value: Range<Int>) -> SyntaxExplanation.Recovery {
        guard !isInBrackets(at: value.lowerBound) else { return .overwrite(value) }
        let parts = parts(at: value.lowerBound)
        let owner = (parts.key?.lowerBound ?? parts.contentStart) - parts.line.lowerBound
        let next = meaningfulLine(after: parts.line.upperBound)
        return next.map { $0.indentation > owner } ?? false ? .skipSection : .overwrite(value)
    }

    /// Returns the next line after an offset that is neither empty nor a comment.
    func meaningfulLine(after offset: Int) -> LineParts? {
        let number = file.lineNumber(ofUTF8Offset: offset)
        return firstMeaningful(of: stride(from: number + 1, through: file.lineCount, by: 1))
    }

    /// Returns the last line before an offset that is neither empty nor a comment.
    func meaningfulLine(before offset: Int) -> LineParts? {
        let number = file.lineNumber(ofUTF8Offset: offset)
        return firstMeaningful(of: stride(from: number - 1, through: 1, by: -1))
    }

    /// The first line that is neither empty nor a comment.
    var firstMeaningfulLine: LineParts? {
        firstMeaningful(of: stride(from: 1, through: file.lineCount, by: 1))
    }

    private func firstMeaningful(of numbers: StrideThrough<Int>) -> LineParts? {
        for number in numbers {
            let line = file.byteRange(ofLine: number)
            let content = bytes[line].drop(while: \.isBlank)
            guard !content.isEmpty, content.first != .hash, !content.starts(with: "---".utf8) else {
                continue
            }
            return LineParts(bytes, line: line)
        }
        return nil
    }
}

/// The explanation of a syntax error, and how to continue with the rest of the file.
struct SyntaxExplanation {
    /// How to continue after a mistake.
    enum Recovery {
        /// Read a harmless word in place of this value, which is part of one line.
        case overwrite(Range<Int>)
        /// Read the node after this tag as if the tag were not there.
        case dropTag(Range<Int>)
        /// Skip the top-level section with the mistake.
        case skipSection
        /// Stop, because nothing after it could be trusted.
        case stop
    }

    /// The message about a value that starts with `{{`.
    static let unquotedTemplate =
        "an unquoted '{{' starts a mapping, not a template; "
        + "put quotes around the text, as in !Template \"{{ … }}\""

    let message: String
    /// Where the mistake is, possibly far before libyaml's own location.
    let offsets: Range<Int>
    var notes: [(message: String, offsets: Range<Int>)] = []
    var replacement: String?
    var recovery = Recovery.skipSection

    func diagnostic(in file: SourceFile) -> Diagnostic {
        let range = file.range(ofUTF8: offsets)
        return Diagnostic(
            .error, message, file: file, range: range,
            notes: notes.map { Diagnostic.Note($0.message, range: file.range(ofUTF8: $0.offsets)) },
            fix: replacement.map { Diagnostic.Fix(replacement: $0, range: range) })
    }
}

/// Document markers and directives.
extension SyntaxExplainer {
    /// Explains problems before or after the document, and those that are not in the text.
    func document() -> SyntaxExplanation? {
        if says("<document start>") {
            return SyntaxExplanation(
                message: "the document ends before this line; a file has only one document",
                offsets: word(at: problem.offset), recovery: .stop)
        }
        if says("incompatible YAML document") || says("duplicate %YAML") || says("duplicate %TAG") {
            let line = file.byteRange(ofLineAt: problem.offset)
            return SyntaxExplanation(
                message: "unsupported directive; remove the line (the file is read as YAML 1.2)",
                offsets: problem.offset..<max(line.upperBound, problem.offset), recovery: .stop)
        }
        if says("out of memory") {
            return SyntaxExplanation(
                message: "not enough memory to read the file", offsets: 0..<0,
                recovery: .stop)
        }
        return nil
    }
}
