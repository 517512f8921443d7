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

/// Brackets, braces and templates.
extension SyntaxExplainer {
    /// Explains a value that starts with `{{`.
    func template() -> SyntaxExplanation? {
        let line = file.byteRange(ofLineAt: problem.offset)
        let stop = min(problem.offset + 1, line.upperBound)
        let start = (line.lowerBound..<max(stop - 1, line.lowerBound)).last {
            bytes[$0] == .openBrace && bytes[$0 + 1] == .openBrace
        }
        guard let start, parts.value.contains(start) || isInFlow,
            !bytes[line.lowerBound..<start].contains(where: \.isQuote)
        else { return nil }
        let first = start > line.lowerBound && bytes[start - 1] == .openBrace ? start - 1 : start
        let value = first..<max(parts.value.upperBound, stop)
        return SyntaxExplanation(
            message: SyntaxExplanation.unquotedTemplate, offsets: value,
            recovery: isInFlow && first != parts.value.lowerBound
                ? .skipSection : recovery(over: value))
    }

    /// Explains brackets that are not closed, closed twice, or have invalid content.
    func flow() -> SyntaxExplanation? {
        if says("expected ',' or") || isInFlow && byte == nil { return insideBrackets() }
        if let byte, byte.isFlowIndicator,
            says("node content") || says("expected key") || says("expected '-'")
                || says("cannot start") || says("<document start>")
        {
            return strayIndicator(byte)
        }
        return afterBracket()
    }

    /// Where the flow list or mapping with the problem starts.
    private var bracket: Int? { says("expected ',' or") ? problem.contextOffset : openBracket }

    /// Whether the flow list or mapping with the problem has a closing bracket.
    var isInClosedBrackets: Bool { bracket.map(isClosed) ?? false }

    private func isClosed(_ bracket: Int) -> Bool {
        BracketScan(bytes, bracket..<bytes.count).closesFirst
    }

    /// Explains a bracket that is still open when the next section of the file starts.
    func unclosedBracket() -> SyntaxExplanation? {
        guard let openBracket, problem.offset < bytes.count,
            problem.offset >= SectionFinder(bytes).end(after: openBracket), !isClosed(openBracket)
        else { return nil }
        return neverClosed(openBracket)
    }

    private func neverClosed(_ start: Int) -> SyntaxExplanation {
        let open = text(start..<min(start + 1, bytes.count))
        return SyntaxExplanation(
            message: "this '\(open)' is never closed; "
                + "add '\(open == "[" ? "]" : "}")'", offsets: start..<start + 1,
            notes: problem.offset < bytes.count
                ? [("this no longer belongs to it", beginningOfLine)] : [])
    }

    private func insideBrackets() -> SyntaxExplanation {
        let start = bracket ?? problem.offset
        let open = text(start..<min(start + 1, bytes.count))
        let close = open == "[" ? "]" : "}"
        guard isInClosedBrackets else { return neverClosed(start) }
        return SyntaxExplanation(
            message: "a ',' or the closing '\(close)' is missing before this; "
                + "text with special characters needs quotes", offsets: word(at: problem.offset),
            notes: [("the '\(open)' is here", start..<start + 1)])
    }

    private var beginningOfLine: Range<Int> { parts.key ?? word(at: parts.contentStart) }

    private func strayIndicator(_ byte: UInt8) -> SyntaxExplanation {
        let sign = text(problem.offset..<problem.offset + 1)
        let isSurplusComma = byte == .comma && isInFlow
        let end = isSurplusComma ? problem.offset : value(at: problem.offset).upperBound
        let message =
            switch byte {
            case .comma where isSurplusComma: "a value is missing before ','; remove the comma"
            case .comma: "unquoted text cannot start with ','; put quotes around it"
            case .closeBracket, .closeBrace:
                "'\(sign)' has no opening bracket; remove it"
            default:
                "'\(sign)' is not allowed here; put quotes around the text, or start a new line"
            }
        return SyntaxExplanation(
            message: message, offsets: problem.offset..<max(end, problem.offset + 1))
    }

    /// Explains `[a] b`.
    private func afterBracket() -> SyntaxExplanation? {
        guard says("expected key") || says("expected '-'") || says("<document start>"), let byte,
            !byte.isLineBreak, lastEvent.upperBound > lastEvent.lowerBound,
            lastEvent.upperBound <= problem.offset,
            isSameLine(lastEvent.upperBound, problem.offset),
            bytes[lastEvent.upperBound..<problem.offset].allSatisfy(\.isBlank)
        else { return nil }
        let close = bytes[lastEvent.upperBound - 1]
        guard close == .closeBracket || close == .closeBrace else { return nil }
        let rest = value(at: problem.offset)
        let whole = parts.value.contains(problem.offset) ? parts.value : rest
        let kind = close == .closeBracket ? "list" : "mapping"
        return SyntaxExplanation(
            message: "the \(kind) ends before '\(text(rest))'; "
                + "put quotes around all of it if it is text", offsets: whole,
            replacement: quoted(whole), recovery: recovery(over: whole))
    }
}

/// Tags in the wrong place.
extension SyntaxExplainer {
    /// Explains a second tag on one node, a tag on an alias, and misspelt tags.
    func tags() -> SyntaxExplanation? {
        if says("undefined tag handle") { return handle() }
        if problem.context == "while scanning a tag" || problem.context == "while parsing a tag" {
            return misspelt()
        }
        let isProblem =
            says("expected key") || says("expected '-'") || says("expected ','")
            || says("node content") || says("<document start>")
        guard isProblem, let byte, let first = propertyBefore else { return nil }
        switch byte {
        case .ampersand where bytes[first.lowerBound] == .ampersand:
            let second = word(at: problem.offset)
            return SyntaxExplanation(
                message: "a value can have only one anchor; remove '\(text(second))'",
                offsets: second)
        case .exclamation: return secondTag(after: first)
        case .asterisk:
            return SyntaxExplanation(
                message: "an alias cannot have a tag; write the tag where the anchor is",
                offsets: first.lowerBound..<word(at: problem.offset).upperBound)
        default: return nil
        }
    }

    /// The tag, or else the anchor, that makes up the last event directly before the problem.
    private var propertyBefore: Range<Int>? {
        guard lastEvent.upperBound <= problem.offset,
            bytes[lastEvent.upperBound..<problem.offset].allSatisfy(\.isBlankOrBreak)
        else { return nil }
        let properties = NodeProperties(bytes, lastEvent)
        guard !lastEvent.isEmpty, properties.contentStart == lastEvent.upperBound else {
            return nil
        }
        return properties.tag ?? lastEvent
    }

    private func secondTag(after first: Range<Int>) -> SyntaxExplanation {
        let outer = text(first)
        let inner =
            NodeProperties(bytes, problem.offset..<bytes.count).tag ?? word(at: problem.offset)
        let whole = problem.offset..<max(parts.value.upperBound, inner.upperBound)
        let isWholeKnown = !isInFlow && whole.upperBound > inner.upperBound
        let list = isWholeKnown ? "[\(text(whole))]" : "[\(text(inner)) …]"
        return SyntaxExplanation(
            message: "a value can have only one tag; put the inner one in a list: \(outer) \(list)",
            offsets: first.lowerBound..<inner.upperBound, recovery: .dropTag(first))
    }

    private func handle() -> SyntaxExplanation {
        let start = problem.contextOffset ?? problem.offset
        let tag = NodeProperties(bytes, start..<bytes.count).tag ?? word(at: start)
        return SyntaxExplanation(
            message: "a tag has one '!', at its start; '\(text(tag))' has more", offsets: tag)
    }

    private func misspelt() -> SyntaxExplanation {
        let tag = word(at: problem.contextOffset ?? problem.offset)
        return SyntaxExplanation(
            message: "'\(text(tag))' is not a valid tag; write '!' and a name, as in !Property, "
                + "or put quotes around it if it is text", offsets: tag)
    }
}
