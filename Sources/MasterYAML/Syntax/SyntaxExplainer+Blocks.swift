/// Colons that are missing, superfluous, or not followed by a space.
extension SyntaxExplainer {
    /// Explains a problem with `key: value`.
    func mapping() -> SyntaxExplanation? {
        if says("mapping values are not allowed") { return surplusColon() }
        if says("could not find expected ':'") { return missingColon() }
        if says("found unexpected ':'") { return missingSpace() }
        if says("block sequence entries are not allowed") { return dash() }
        if says("mapping keys are not allowed") {
            return SyntaxExplanation(
                message: "'? ' starts a key; put quotes around the text",
                offsets: value(at: problem.offset),
                recovery: recovery(over: value(at: problem.offset)))
        }
        return says("expected ','") && byte == .colon && isInClosedBrackets ? textWithColon() : nil
    }

    private func surplusColon() -> SyntaxExplanation {
        if let (scalar, offsets) = lastScalar, scalar.style == .plain,
            offsets.upperBound == problem.offset, !isSameLine(offsets.lowerBound, problem.offset)
        {
            return lineTooDeep(continuing: offsets)
        }
        return textWithColon()
    }

    /// Explains `a: b` with a more indented `c: d` below it.
    private func lineTooDeep(continuing scalar: Range<Int>) -> SyntaxExplanation {
        let line = parts
        let above = parts(at: scalar.lowerBound)
        let key = line.contentStart..<problem.offset
        guard let owner = above.key, line.indentation > above.indentation else {
            let first = scalar.lowerBound..<max(above.value.upperBound, scalar.lowerBound)
            return withoutColon(first)
        }
        return SyntaxExplanation(
            message: "'\(text(key))' is indented below '\(text(owner))', "
                + "which already has a value; give both the same indentation", offsets: key,
            notes: [("'\(text(owner))' has its value here", above.value)])
    }

    /// Explains `key: text with: colon`.
    private func textWithColon() -> SyntaxExplanation {
        let line = parts
        var start = line.value.contains(problem.offset) ? line.value.lowerBound : line.contentStart
        if isInFlow, let scalar = lastScalar?.offsets { start = max(start, scalar.lowerBound) }
        let value = min(start, problem.offset)..<value(at: problem.offset).upperBound
        let isQuoted = bytes[value.lowerBound].isQuote
        return SyntaxExplanation(
            message: "': ' in unquoted text starts a mapping; "
                + (isQuoted ? "put the whole text in quotes" : "put quotes around the text"),
            offsets: value, replacement: isQuoted ? nil : quoted(value),
            recovery: recovery(over: value))
    }

    private func missingColon() -> SyntaxExplanation {
        let start = problem.contextOffset ?? problem.offset
        let value = start..<max(parts(at: start).value.upperBound, start)
        return withoutColon(value)
    }

    /// Explains a line among `key: value` lines that has no `: `.
    private func withoutColon(_ value: Range<Int>) -> SyntaxExplanation {
        let tag = NodeProperties(bytes, value).tag
        if let tag, bytes[tag.upperBound - 1] == .colon {
            return SyntaxExplanation(
                message: "'\(text(tag))' is read as a tag; remove the '!', "
                    + "or put quotes around the key", offsets: tag)
        }
        let colon = value.dropFirst().first { bytes[$0] == .colon }
        guard let colon, colon + 1 < value.upperBound, bytes[colon + 1] != UInt8(ascii: "/"),
            !bytes[colon + 1].isBlank
        else {
            return SyntaxExplanation(
                message: "'\(text(value))' has no ':'; a line here has the form 'key: value'",
                offsets: value)
        }
        let fixed =
            file.text(ofUTF8: value.lowerBound..<colon + 1) + " "
            + file.text(ofUTF8: colon + 1..<value.upperBound)
        return SyntaxExplanation(
            message: "a space is missing after the colon; write '\(fixed.clipped)'", offsets: value,
            replacement: fixed)
    }

    /// Explains `{a:[1]}`.
    private func missingSpace() -> SyntaxExplanation {
        let start = problem.contextOffset ?? problem.offset
        let key = start..<problem.offset + 1
        return SyntaxExplanation(
            message: "a space is missing after the colon; write '\(text(key)) …'", offsets: key,
            replacement: file.text(ofUTF8: key) + " ")
    }

    /// Explains `key: - item`.
    private func dash() -> SyntaxExplanation {
        let value = value(at: problem.offset)
        return SyntaxExplanation(
            message: "a list item cannot start on the line of its key; "
                + "move it to the next line, or put quotes around it if it is text",
            offsets: value, recovery: recovery(over: value))
    }
}

/// Lines with the wrong indentation or of the wrong kind.
extension SyntaxExplainer {
    /// Explains a line that is not allowed where it is.
    func indentation() -> SyntaxExplanation? {
        guard says("expected key") || says("expected '-'") || says("<document start>"), let byte,
            problem.offset == parts.contentStart
        else { return surplusText() }
        guard let start = problem.contextOffset else { return outsideOfFirst() }
        let column = file.position(ofUTF8Offset: start).column
        let isItem = byte == .dash && LineParts.isListItem(bytes, parts)
        if parts.indentation + 1 == column {
            return isItem ? itemAmongKeys(start) : keyAmongItems(start)
        }
        return misaligned(start, column: column)
    }

    /// The key of the line, or all of it when it has none.
    private var line: Range<Int> {
        let start = parts.contentStart
        let end = parts.key?.upperBound ?? parts.value.upperBound
        return start..<max(start, end)
    }

    private func itemAmongKeys(_ start: Int) -> SyntaxExplanation {
        SyntaxExplanation(
            message: "a list item ('- ') is not allowed among 'key: value' lines; "
                + "indent it below its key", offsets: line,
            notes: [("the 'key: value' lines start here", word(at: start))])
    }

    private func keyAmongItems(_ start: Int) -> SyntaxExplanation {
        SyntaxExplanation(
            message: "'\(text(line))' is among list items; "
                + "start it with '- ', or indent it below the item it belongs to",
            offsets: line, notes: [("the list starts here", word(at: start))])
    }

    private func misaligned(_ start: Int, column: Int) -> SyntaxExplanation {
        let above = meaningfulLine(before: problem.offset)
        if let above, parts.indentation > above.indentation, let key = above.key,
            !above.value.isEmpty
        {
            return SyntaxExplanation(
                message: "'\(text(line))' is indented below '\(text(key))', "
                    + "which already has a value; give both the same indentation", offsets: line,
                notes: [("'\(text(key))' has its value here", above.value)])
        }
        let deeper = above.map(\.indentation).flatMap { $0 > parts.indentation ? $0 : nil }
        let choices = [deeper, column - 1].compactMap { $0.map(String.init) }
        return SyntaxExplanation(
            message: "this line is indented by \(parts.indentation); align it with the lines it "
                + "belongs to, indented by \(choices.joined(separator: " or "))",
            offsets: line)
    }

    /// Explains a line that is indented less than the first line of the file.
    private func outsideOfFirst() -> SyntaxExplanation? {
        guard let first = firstMeaningfulLine, first.indentation != parts.indentation,
            first.line.lowerBound < parts.line.lowerBound
        else { return nil }
        return SyntaxExplanation(
            message: "this line is indented by \(parts.indentation), but the first by "
                + "\(first.indentation); give all top-level keys the same indentation",
            offsets: line, notes: [("the first line is here", word(at: first.contentStart))],
            recovery: .stop)
    }

    /// Explains text in the middle of a line.
    private func surplusText() -> SyntaxExplanation? {
        guard says("expected key") || says("expected '-'") || says("node content"), byte != nil
        else { return nil }
        return SyntaxExplanation(
            message: "the value ends before this; put quotes around the text, "
                + "or start a new line", offsets: value(at: problem.offset))
    }
}

extension LineParts {
    /// Whether the line begins with `- `.
    static func isListItem(_ bytes: [UInt8], _ parts: LineParts) -> Bool {
        let next = parts.contentStart + 1
        return parts.contentStart < parts.line.upperBound && bytes[parts.contentStart] == .dash
            && (next == parts.line.upperBound || bytes[next].isBlank)
    }
}
