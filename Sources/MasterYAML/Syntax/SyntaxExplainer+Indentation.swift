/// Lines that are indented like none of those before them, and lines of the wrong kind.
extension SyntaxExplainer {
    /// Explains a line that cannot stand where it is.
    func indentation() -> SyntaxExplanation? {
        guard says("expected key") || says("expected '-'") || says("<document start>"),
            let byte, problem.offset == anatomy.contentStart
        else { return surplusText() }
        guard let start = problem.contextOffset else { return outsideOfFirst() }
        let column = file.position(ofUTF8Offset: start).column
        let isItem = byte == .dash && LineAnatomy.isListItem(bytes, anatomy)
        if anatomy.indentation + 1 == column {
            return isItem ? itemAmongKeys(start) : keyAmongItems(start)
        }
        return misaligned(start, column: column)
    }

    /// The key of the line, or all of it when it has none.
    private var line: Range<Int> {
        let start = anatomy.contentStart
        let end = anatomy.key?.upperBound ?? anatomy.value.upperBound
        return start..<max(start, end)
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
        let above = meaningfulLine(before: problem.offset)
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
        let deeper = above.map(\.indentation).flatMap { $0 > anatomy.indentation ? $0 : nil }
        let choices = [deeper, column - 1].compactMap { $0.map(String.init) }
        return SyntaxExplanation(
            message: "this line is indented by \(anatomy.indentation), but those that it could "
                + "belong to by \(choices.joined(separator: " or ")); align it with them",
            offsets: line
        )
    }

    /// Explains a line that is indented less than the first line of the file.
    private func outsideOfFirst() -> SyntaxExplanation? {
        guard let first = firstMeaningfulLine, first.indentation != anatomy.indentation,
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
