/// Colons too many, too few, or without a space.
extension SyntaxExplainer {
    /// Explains a problem with `key: value`.
    func mapping() -> SyntaxExplanation? {
        if says("mapping values are not allowed") { return surplusColon() }
        if says("could not find expected ':'") { return missingColon() }
        if says("found unexpected ':'") { return missingSpace() }
        if says("block sequence entries are not allowed") { return dash() }
        if says("mapping keys are not allowed") {
            return SyntaxExplanation(
                message: "'? ' begins a key; put quotes around the text",
                offsets: value(at: problem.offset),
                recovery: recovery(over: value(at: problem.offset))
            )
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

    /// Explains `a: b` with a deeper `c: d` below it.
    private func lineTooDeep(continuing scalar: Range<Int>) -> SyntaxExplanation {
        let line = anatomy
        let above = anatomy(at: scalar.lowerBound)
        let key = line.contentStart..<problem.offset
        guard let owner = above.key, line.indentation > above.indentation else {
            let first = scalar.lowerBound..<max(above.value.upperBound, scalar.lowerBound)
            return withoutColon(first)
        }
        return SyntaxExplanation(
            message: "'\(text(key))' is indented as if it belonged to '\(text(owner))', "
                + "which has a value already; give both the same indentation",
            offsets: key,
            notes: [("'\(text(owner))' has its value here", above.value)]
        )
    }

    /// Explains `key: text with: colon`.
    private func textWithColon() -> SyntaxExplanation {
        let line = anatomy
        var start = line.value.contains(problem.offset) ? line.value.lowerBound : line.contentStart
        if isInFlow, let scalar = lastScalar?.offsets { start = max(start, scalar.lowerBound) }
        let value = min(start, problem.offset)..<value(at: problem.offset).upperBound
        let isQuoted = bytes[value.lowerBound].isQuote
        return SyntaxExplanation(
            message: "': ' inside of text without quotes begins a mapping; "
                + (isQuoted ? "put the whole text in quotes" : "put quotes around the text"),
            offsets: value,
            replacement: isQuoted ? nil : quoted(value),
            recovery: recovery(over: value)
        )
    }

    private func missingColon() -> SyntaxExplanation {
        let start = problem.contextOffset ?? problem.offset
        let value = start..<max(anatomy(at: start).value.upperBound, start)
        return withoutColon(value)
    }

    /// Explains a line among `key: value` lines that has no `: `.
    private func withoutColon(_ value: Range<Int>) -> SyntaxExplanation {
        let tag = NodeProperties(bytes, value).tag
        if let tag, bytes[tag.upperBound - 1] == .colon {
            return SyntaxExplanation(
                message: "'\(text(tag))' is read as a tag; remove the '!', "
                    + "or put quotes around the key",
                offsets: tag
            )
        }
        let colon = value.dropFirst().first { bytes[$0] == .colon }
        guard let colon, colon + 1 < value.upperBound, bytes[colon + 1] != UInt8(ascii: "/"),
            !bytes[colon + 1].isBlank
        else {
            return SyntaxExplanation(
                message: "'\(text(value))' has no ':'; a line here has the form 'key: value'",
                offsets: value
            )
        }
        let fixed =
            file.text(ofUTF8: value.lowerBound..<colon + 1) + " "
            + file.text(ofUTF8: colon + 1..<value.upperBound)
        return SyntaxExplanation(
            message: "a space is missing after the colon; write '\(fixed.clipped)'",
            offsets: value,
            replacement: fixed
        )
    }

    /// Explains `{a:[1]}`.
    private func missingSpace() -> SyntaxExplanation {
        let start = problem.contextOffset ?? problem.offset
        let key = start..<problem.offset + 1
        return SyntaxExplanation(
            message: "a space is missing after the colon; write '\(text(key)) …'",
            offsets: key,
            replacement: file.text(ofUTF8: key) + " "
        )
    }

    /// Explains `key: - item`.
    private func dash() -> SyntaxExplanation {
        let value = value(at: problem.offset)
        return SyntaxExplanation(
            message: "a list item cannot begin on the line of its key; "
                + "begin it on the next line, or put quotes around it if it is text",
            offsets: value,
            recovery: recovery(over: value)
        )
    }
}
