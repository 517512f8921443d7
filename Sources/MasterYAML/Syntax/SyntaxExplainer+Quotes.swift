/// Quotes that are not closed, closed too early, or hold a wrong escape; and block scalars.
extension SyntaxExplainer {
    /// Explains a problem with a quoted text.
    func quotes() -> SyntaxExplanation? {
        let isQuoteContext = problem.context?.contains("quoted scalar") ?? false
        if isQuoteContext, let start = problem.contextOffset {
            return says("end of stream") || says("document indicator")
                ? unclosedQuote(start) : escape(start)
        }
        if says("could not find expected ':'"), let start = problem.contextOffset,
            start < bytes.count, bytes[start].isQuote
        {
            return unclosedQuote(start)
        }
        return afterQuote()
    }

    private func unclosedQuote(_ start: Int) -> SyntaxExplanation {
        let line = file.byteRange(ofLineAt: start)
        return SyntaxExplanation(
            message: "the quote that opens here is never closed; "
                + "add \(text(start..<start + 1)) at the end of the text",
            offsets:
                start..<max(anatomy(at: start).value.upperBound, min(start + 1, line.upperBound))
        )
    }

    private func escape(_ start: Int) -> SyntaxExplanation {
        let backslash = bytes[start..<problem.offset].lastIndex(of: .backslash)
        let first = byte == .backslash ? problem.offset : backslash ?? problem.offset
        let last = min(max(problem.offset, first + 2), bytes.count)
        let escape = text(first..<last)
        let rule =
            says("unknown escape")
            ? "is no escape that YAML knows" : "is an incomplete or invalid escape"
        return SyntaxExplanation(
            message: "'\(escape)' \(rule); "
                + "write '\\\\' for a backslash, or put the text in single quotes",
            offsets: first..<last
        )
    }

    /// Explains text that stands after a closing quote.
    private func afterQuote() -> SyntaxExplanation? {
        guard let (scalar, offsets) = lastScalar,
            scalar.style == .singleQuoted || scalar.style == .doubleQuoted,
            offsets.upperBound <= problem.offset, byte.map({ !$0.isLineBreak }) ?? false,
            bytes[offsets.upperBound..<problem.offset].allSatisfy(\.isBlank)
        else { return nil }
        let start = NodeProperties(bytes, offsets).contentStart
        guard isSameLine(start, problem.offset) else { return unclosedQuote(start) }
        guard let byte, byte != .colon, byte != .closeBracket, byte != .closeBrace,
            !(isInFlow && byte.isFlowIndicator)
        else { return nil }
        let value = start..<value(at: problem.offset).upperBound
        let isApostrophe = scalar.style == .singleQuoted && offsets.upperBound == problem.offset
        let remedy =
            isApostrophe
            ? "an apostrophe inside of single quotes is written twice: ''"
            : "put the whole text in quotes, and other quotes inside of them"
        let replacement = isApostrophe ? doubleQuoted(value) : singleQuoted(value)
        return SyntaxExplanation(
            message:
                "the quoted text ends before '\(text(problem.offset..<value.upperBound))'; \(remedy)",
            offsets: value,
            replacement: replacement,
            recovery: recovery(over: value)
        )
    }

    private func singleQuoted(_ value: Range<Int>) -> String? {
        let text = file.text(ofUTF8: value)
        return text.contains("'") ? nil : "'\(text)'"
    }

    /// Returns `'it's'` as `"it's"`.
    private func doubleQuoted(_ value: Range<Int>) -> String? {
        let inner = file.text(ofUTF8: value).dropFirst()
        guard inner.hasSuffix("'"), !inner.contains("\""), !inner.contains("\\") else { return nil }
        return "\"\(inner.dropLast())\""
    }

    /// Explains a problem with a text that begins with `|` or `>`.
    func blockScalar() -> SyntaxExplanation? {
        guard problem.context == "while scanning a block scalar", let start = problem.contextOffset
        else { return nil }
        let sign = text(start..<start + 1)
        if says("indicator equal to 0") {
            return SyntaxExplanation(
                message: "the number after '\(sign)' is an indentation from 1 to 9; remove the 0",
                offsets: start..<problem.offset + 1
            )
        }
        let value = value(at: start)
        return SyntaxExplanation(
            message: "no text can follow '\(sign)' on its line; "
                + "begin the text on the next line, or put quotes around '\(text(value))'",
            offsets: value
        )
    }
}
