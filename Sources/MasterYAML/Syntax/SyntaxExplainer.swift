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
            offsets: word(at: problem.offset),
            recovery: .stop
        )
    }
}

extension SyntaxExplainer {
    /// Whether libyaml's words contain a phrase.
    func says(_ phrase: String) -> Bool {
        problem.problem.contains(phrase)
    }

    /// The byte where libyaml gave up; nil at the end of the file.
    var byte: UInt8? { problem.offset < bytes.count ? bytes[problem.offset] : nil }

    /// The line in which libyaml gave up.
    var anatomy: LineAnatomy { anatomy(at: problem.offset) }

    /// Takes apart the line of an offset.
    func anatomy(at offset: Int) -> LineAnatomy {
        LineAnatomy(bytes, line: file.byteRange(ofLineAt: offset))
    }

    /// Returns the text between two offsets as the person wrote it, or its beginning.
    func text(_ offsets: Range<Int>) -> String {
        file.text(ofUTF8: offsets).clipped
    }

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
        let anatomy = anatomy(at: offset)
        if let key = anatomy.key, key.contains(offset) { return offset..<key.upperBound }
        var end = max(anatomy.value.upperBound, offset)
        if isInBrackets(at: offset) {
            end = (offset..<end).first { bytes[$0].isFlowIndicator } ?? end
            while end > offset, bytes[end - 1].isBlank { end -= 1 }
        }
        return offset..<end
    }

    /// Whether an offset is between brackets, as far as events and its line tell.
    private func isInBrackets(at offset: Int) -> Bool {
        if isInFlow { return true }
        let anatomy = anatomy(at: offset)
        let start = anatomy.key == nil ? anatomy.contentStart : anatomy.value.lowerBound
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
        let anatomy = anatomy(at: value.lowerBound)
        let owner = (anatomy.key?.lowerBound ?? anatomy.contentStart) - anatomy.line.lowerBound
        let next = meaningfulLine(after: anatomy.line.upperBound)
        return next.map { $0.indentation > owner } ?? false ? .skipSection : .overwrite(value)
    }

    /// Returns the next line after that of an offset that is neither empty nor a comment.
    func meaningfulLine(after offset: Int) -> LineAnatomy? {
        let number = file.lineNumber(ofUTF8Offset: offset)
        return firstMeaningful(of: stride(from: number + 1, through: file.lineCount, by: 1))
    }

    /// Returns the last line before that of an offset that is neither empty nor a comment.
    func meaningfulLine(before offset: Int) -> LineAnatomy? {
        let number = file.lineNumber(ofUTF8Offset: offset)
        return firstMeaningful(of: stride(from: number - 1, through: 1, by: -1))
    }

    /// The first line that is neither empty nor a comment.
    var firstMeaningfulLine: LineAnatomy? {
        firstMeaningful(of: stride(from: 1, through: file.lineCount, by: 1))
    }

    private func firstMeaningful(of numbers: StrideThrough<Int>) -> LineAnatomy? {
        for number in numbers {
            let line = file.byteRange(ofLine: number)
            let content = bytes[line].drop(while: \.isBlank)
            guard !content.isEmpty, content.first != .hash, !content.starts(with: "---".utf8) else {
                continue
            }
            return LineAnatomy(bytes, line: line)
        }
        return nil
    }
}
