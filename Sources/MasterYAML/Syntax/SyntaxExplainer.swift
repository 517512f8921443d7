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
    /// Whether the innermost open collection is written in brackets or braces.
    let isInFlow: Bool

    /// Explains the problem.
    func explain() -> SyntaxExplanation {
        let explanation = character() ?? template() ?? tags() ?? quotes() ?? blockScalar()
        return explanation ?? mapping() ?? flow() ?? indentation() ?? document() ?? unknown()
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

    /// Returns the text between two offsets as the person wrote it.
    func text(_ offsets: Range<Int>) -> String {
        let text = file.text(ofUTF8: offsets)
        return text.count <= 40 ? text : text.prefix(39) + "…"
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

    /// Returns the value that begins at an offset: up to a comment, or to the next item in brackets.
    func value(at offset: Int) -> Range<Int> {
        let anatomy = anatomy(at: offset)
        let inBrackets = isInFlow || hasOpenBracket(before: offset, in: anatomy)
        var end = max(anatomy.value.upperBound, offset)
        if inBrackets {
            end = (offset..<end).first { bytes[$0].isFlowIndicator } ?? end
            while end > offset, bytes[end - 1].isBlank { end -= 1 }
        }
        return offset..<end
    }

    /// Whether a bracket is opened in the line and not closed before an offset.
    private func hasOpenBracket(before offset: Int, in anatomy: LineAnatomy) -> Bool {
        let start = min(
            anatomy.key == nil ? anatomy.contentStart : anatomy.value.lowerBound,
            offset
        )
        return BracketScan(bytes, start..<offset).depth > 0
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
        let line = file.lineNumber(ofUTF8Offset: value.lowerBound)
        let indentation = anatomy(at: value.lowerBound).indentation
        for next in stride(from: line + 1, through: file.lineCount, by: 1) {
            let anatomy = LineAnatomy(bytes, line: file.byteRange(ofLine: next))
            guard !anatomy.line.isEmpty, anatomy.contentStart < anatomy.line.upperBound else {
                continue
            }
            let goesOn =
                anatomy.indentation > indentation && anatomy.key == nil
                && bytes[anatomy.contentStart] != .dash && !isInFlow
            let isSettings = anatomy.indentation > indentation && !isInFlow
            return goesOn || isSettings ? .skipSection : .overwrite(value)
        }
        return .overwrite(value)
    }
}
