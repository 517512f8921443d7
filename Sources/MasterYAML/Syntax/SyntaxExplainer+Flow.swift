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
