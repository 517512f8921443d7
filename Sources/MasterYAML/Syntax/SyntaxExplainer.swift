/// Finds out what a person did wrong, from the place and the words with which libyaml gave up.
struct SyntaxExplainer {
    let file: SourceFile
    /// The bytes as they were read, earlier mistakes overwritten.
    let bytes: [UInt8]
    let problem: SyntaxProblem
    /// The last event before the problem.
    let lastEvent: Range<Int>
    /// The last scalar before the problem.
    let lastScalar: (scalar: YAMLScalar, offsets: Range<Int>)?
    /// Where the innermost open collection begins, if it is written in brackets or braces.
    let openBracket: Int?

    /// Whether the innermost open collection is written in brackets or braces.
    var isInFlow: Bool { openBracket != nil }

    /// Explains the problem.
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
    /// Whether libyaml's words contain a phrase.
    func says(_ phrase: String) -> Bool { problem.problem.contains(phrase) }

    /// The byte where libyaml gave up; nil at the end of the file.
    var byte: UInt8? { problem.offset < bytes.count ? bytes[problem.offset] : nil }

    /// The line in which libyaml gave up.
    var parts: LineParts { parts(at: problem.offset) }

    /// Takes apart the line of an offset.
    func parts(at offset: Int) -> LineParts {
        LineParts(bytes, line: file.byteRange(ofLineAt: offset))
    }

    /// Returns the text between two offsets as the person wrote it, or its beginning.
    func text(_ offsets: Range<Int>) -> String { file.text(ofUTF8: offsets).clipped }

    /// Whether two offsets are in the same line.
    func isSameLine(_ first: Int, _ second: Int) -> Bool {
        file.lineNumber(ofUTF8Offset: first) == file.lineNumber(ofUTF8Offset: second)
    }

    /// Returns the stretch from an offset up to the next blank or the end of the line.
    func word(at offset: Int) -> Range<Int> {
        let rest = offset..<max(file.byteRange(ofLineAt: offset).upperBound, offset)
        return offset..<(rest.first { bytes[$0].isBlank } ?? rest.upperBound)
    }

    /// Returns the text that begins at an offset: a key, a value, or an item in brackets.
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

    /// Whether an offset is between brackets, as far as events and its line tell.
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

    /// Returns how a single value can be passed over: only when it surely ends with its line.
    func recovery(over value: Range<Int>) -> SyntaxExplanation.Recovery {
        guard !isInBrackets(at: value.lowerBound) else { return .overwrite(value) }
        let parts = parts(at: value.lowerBound)
        let owner = (parts.key?.lowerBound ?? parts.contentStart) - parts.line.lowerBound
        let next = meaningfulLine(after: parts.line.upperBound)
        return next.map { $0.indentation > owner } ?? false ? .skipSection : .overwrite(value)
    }

    /// Returns the next line after that of an offset that is neither empty nor a comment.
    func meaningfulLine(after offset: Int) -> LineParts? {
        let number = file.lineNumber(ofUTF8Offset: offset)
        return firstMeaningful(of: stride(from: number + 1, through: file.lineCount, by: 1))
    }

    /// Returns the last line before that of an offset that is neither empty nor a comment.
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

/// A mistake in words, and how the rest of the file can be read nevertheless.
struct SyntaxExplanation {
    /// How to go on after a mistake.
    enum Recovery {
        /// Read a harmless word in place of this value, which takes part of one line.
        case overwrite(Range<Int>)
        /// Read the node after this tag as if the tag were not there.
        case dropTag(Range<Int>)
        /// Leave out the top-level section in which the mistake stands.
        case skipSection
        /// Nothing that follows could be trusted.
        case stop
    }

    /// The message about a value that begins with `{{`.
    static let unquotedTemplate =
        "an unquoted '{{' begins a mapping, not a template; "
        + "put quotes around the text, as in !Template \"{{ … }}\""

    let message: String
    /// Where the mistake is, which may be far before the place that libyaml stumbles over.
    let offsets: Range<Int>
    var notes: [(message: String, offsets: Range<Int>)] = []
    var replacement: String?
    var recovery = Recovery.skipSection

    /// Makes the diagnostic.
    func diagnostic(in file: SourceFile) -> Diagnostic {
        let range = file.range(ofUTF8: offsets)
        return Diagnostic(
            .error, message, file: file, range: range,
            notes: notes.map { Diagnostic.Note($0.message, range: file.range(ofUTF8: $0.offsets)) },
            fix: replacement.map { Diagnostic.Fix(replacement: $0, range: range) })
    }
}

/// The frame around a document.
extension SyntaxExplainer {
    /// Explains what stands before or after the document, and problems that are not in the text.
    func document() -> SyntaxExplanation? {
        if says("<document start>") {
            return SyntaxExplanation(
                message: "the document has ended before this line; a file has one document",
                offsets: word(at: problem.offset), recovery: .stop)
        }
        if says("incompatible YAML document") || says("duplicate %YAML") || says("duplicate %TAG") {
            let line = file.byteRange(ofLineAt: problem.offset)
            return SyntaxExplanation(
                message: "this directive is not understood; remove the line, YAML 1.2 is the rule",
                offsets: problem.offset..<max(line.upperBound, problem.offset), recovery: .stop)
        }
        if says("out of memory") {
            return SyntaxExplanation(
                message: "there is not enough memory to read the file", offsets: 0..<0,
                recovery: .stop)
        }
        return nil
    }
}
