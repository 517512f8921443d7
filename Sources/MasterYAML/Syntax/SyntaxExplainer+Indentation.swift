/// Lines that are indented like none of those before them, and lines of the wrong kind.
extension SyntaxExplainer {
    /// Explains a line that cannot stand where it is.
    func indentation() -> SyntaxExplanation? {
        guard says("expected key") || says("expected '-'") || says("<document start>"),
            let byte, problem.offset == anatomy.contentStart
        else { return surplusText() }
        let start = problem.contextOffset ?? 0
        let column = file.position(ofUTF8Offset: start).column
        let isItem =
            byte == .dash && anatomy.contentStart + 1 <= anatomy.line.upperBound
            && LineAnatomy.isListItem(bytes, anatomy)
        if anatomy.indentation + 1 == column {
            return isItem ? itemAmongKeys(start) : keyAmongItems(start)
        }
        return says("<document start>") ? outsideOfFirst() : misaligned(start, column: column)
    }

    private var line: Range<Int> {
        anatomy
            .contentStart..<max(
                anatomy.key?.upperBound ?? anatomy.value.upperBound,
                anatomy.contentStart
            )
    }

    private func itemAmongKeys(_ start: Int) -> SyntaxExplanation {
        SyntaxExplanation(
            message: "a list item ('- ') cannot stand among 'key: value' lines; "
                + "indent it below its key",
            offsets: line,
            notes: [("the 'key: value' lines begin here", word(at: start))]
        )
    }

    private func keyAmongItems(_ start: Int) -> SyntaxExplanation {
        SyntaxExplanation(
            message: "'\(text(line))' stands among list items; "
                + "begin it with '- ', or indent it below the item that it belongs to",
            offsets: line,
            notes: [("the list begins here", word(at: start))]
        )
    }

    private func misaligned(_ start: Int, column: Int) -> SyntaxExplanation {
        let above = lastLine(before: anatomy.line.lowerBound)
        if let above, anatomy.indentation > above.indentation, let key = above.key,
            !above.value.isEmpty
        {
            return SyntaxExplanation(
                message: "'\(text(line))' is indented as if it belonged to '\(text(key))', "
                    + "which has a value already; give both the same indentation",
                offsets: line,
                notes: [("'\(text(key))' has its value here", above.value)]
            )
        }
        return SyntaxExplanation(
            message: "this line is indented by \(anatomy.indentation), like none of those that it "
                + "could belong to; align it with them",
            offsets: line,
            notes: [("the nearest are indented by \(column - 1), as here", word(at: start))]
        )
    }

    /// Explains a line that is indented less than the first line of the file.
    private func outsideOfFirst() -> SyntaxExplanation? {
        guard let first = firstLine, first.indentation != anatomy.indentation,
            first.line.lowerBound < anatomy.line.lowerBound
        else { return nil }
        return SyntaxExplanation(
            message: "this line is indented by \(anatomy.indentation), but the first by "
                + "\(first.indentation); give all top-level keys the same indentation",
            offsets: line,
            notes: [("the first line is here", word(at: first.contentStart))],
            recovery: .stop
        )
    }

    private var firstLine: LineAnatomy? {
        for number in 1...file.lineCount {
            let anatomy = LineAnatomy(bytes, line: file.byteRange(ofLine: number))
            if isMeaningful(anatomy) { return anatomy }
        }
        return nil
    }

    private func lastLine(before offset: Int) -> LineAnatomy? {
        let number = file.lineNumber(ofUTF8Offset: offset)
        for number in stride(from: number - 1, through: 1, by: -1) {
            let anatomy = LineAnatomy(bytes, line: file.byteRange(ofLine: number))
            if isMeaningful(anatomy) { return anatomy }
        }
        return nil
    }

    /// Whether a line is neither empty nor a comment nor `---`.
    private func isMeaningful(_ anatomy: LineAnatomy) -> Bool {
        let content = bytes[anatomy.contentStart..<anatomy.line.upperBound]
        return !content.isEmpty && content.first != .hash && !content.starts(with: "---".utf8)
    }

    /// Explains text in the middle of a line.
    private func surplusText() -> SyntaxExplanation? {
        guard says("expected key") || says("expected '-'") || says("node content"), byte != nil
        else {
            return nil
        }
        return SyntaxExplanation(
            message: "the value has ended before this; put quotes around the text, "
                + "or begin a new line",
            offsets: value(at: problem.offset)
        )
    }
}

extension LineAnatomy {
    /// Whether the line begins with `- `.
    static func isListItem(_ bytes: [UInt8], _ anatomy: LineAnatomy) -> Bool {
        let next = anatomy.contentStart + 1
        return anatomy.contentStart < anatomy.line.upperBound
            && bytes[anatomy.contentStart] == .dash
            && (next == anatomy.line.upperBound || bytes[next].isBlank)
    }
}
