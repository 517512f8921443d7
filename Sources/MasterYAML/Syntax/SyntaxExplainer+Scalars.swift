/// Tabs, and characters that unquoted text cannot start with.
extension SyntaxExplainer {
    /// Explains a tab, or a character with a special meaning at the start of a value.
    func character() -> SyntaxExplanation? {
        if says("tab character") || byte == .tab && says("cannot start any token") { return tab() }
        if isDirective { return directive() }
        if says("cannot start any token") { return startOfToken() }
        guard says("alphabetic or numeric character") else { return nil }
        let start = problem.contextOffset ?? problem.offset
        return bytes[start...].first == .asterisk ? asterisk(start) : ampersand(start)
    }

    private var isDirective: Bool { problem.context == "while scanning a directive" }

    private func tab() -> SyntaxExplanation {
        let line = file.byteRange(ofLineAt: problem.offset)
        let tabs =
            problem
            .offset..<max(
                (problem.offset..<line.upperBound).first { bytes[$0] != .tab } ?? line.upperBound,
                problem.offset)
        let isIndentation = bytes[line.lowerBound..<problem.offset].allSatisfy(\.isBlank)
        let isEmptyLine = bytes[line].allSatisfy(\.isBlank)
        let message =
            if isEmptyLine { "an empty line contains a tab; remove it" } else if isIndentation {
                "a tab is used for indentation; use spaces"
            } else { "a tab is not allowed here; use a space" }
        return SyntaxExplanation(message: message, offsets: tabs)
    }

    private func startOfToken() -> SyntaxExplanation? {
        guard let byte else { return nil }
        if byte == .percent { return percent(problem.offset) }
        let value = value(at: problem.offset)
        let character = text(problem.offset..<problem.offset + 1)
        return SyntaxExplanation(
            message: "unquoted text cannot start with '\(character)'; put quotes around it",
            offsets: value, replacement: quoted(value), recovery: recovery(over: value))
    }

    private func percent(_ start: Int) -> SyntaxExplanation {
        let value = value(at: start)
        let isInterpolation = file.text(ofUTF8: value).contains("%(")
        let before = file.text(ofUTF8: file.byteRange(ofLineAt: start).lowerBound..<start)
        let needsTag = isInterpolation && !before.contains("!Interpolate")
        let remedy = needsTag ? ", as in !Interpolate \(quoted(value).clipped)" : ""
        return SyntaxExplanation(
            message: "unquoted text cannot start with '%'; put quotes around it\(remedy)",
            offsets: value, replacement: (needsTag ? "!Interpolate " : "") + quoted(value),
            recovery: recovery(over: value))
    }

    private func asterisk(_ start: Int) -> SyntaxExplanation {
        let value = value(at: start)
        return SyntaxExplanation(
            message: "'*' starts an alias; put quotes around '\(text(value))'",
            offsets: value, replacement: quoted(value), recovery: recovery(over: value))
    }

    private func ampersand(_ start: Int) -> SyntaxExplanation {
        let value = value(at: start)
        return SyntaxExplanation(
            message: "'&' starts an anchor; put quotes around '\(text(value))'",
            offsets: value, replacement: quoted(value), recovery: recovery(over: value))
    }

    /// Explains a line that starts with `%`, which libyaml reads as a directive.
    private func directive() -> SyntaxExplanation {
        let start = problem.contextOffset ?? problem.offset
        let line = start..<file.byteRange(ofLineAt: start).upperBound
        guard says("expected directive name") || bytes[line].contains(UInt8(ascii: "(")) else {
            return SyntaxExplanation(
                message: "unknown directive '\(text(word(at: start)))'; "
                    + "remove the line, or put quotes around it if it is text", offsets: line,
                recovery: .stop)
        }
        return percent(start)
    }
}

/// Quotes that are not closed, closed too early, or contain an invalid escape; and block scalars.
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
            message: "this quote is never closed; "
                + "add \(text(start..<start + 1)) at the end of the text",
            offsets: start..<max(parts(at: start).value.upperBound, min(start + 1, line.upperBound))
        )
    }

    private func escape(_ start: Int) -> SyntaxExplanation {
        let backslash = bytes[start..<problem.offset].lastIndex(of: .backslash)
        let first = byte == .backslash ? problem.offset : backslash ?? problem.offset
        let last = min(max(problem.offset, first + 2), bytes.count)
        let escape = text(first..<last)
        let rule =
            says("unknown escape")
            ? "is not a YAML escape" : "is an incomplete or invalid escape"
        return SyntaxExplanation(
            message: "'\(escape)' \(rule); "
                + "write '\\\\' for a backslash, or put the text in single quotes",
            offsets: first..<last)
    }

    /// Explains text after a closing quote.
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
            ? "inside single quotes, write an apostrophe twice: ''"
            : "put quotes of the other kind around the whole text"
        let replacement = isApostrophe ? doubleQuoted(value) : singleQuoted(value)
        return SyntaxExplanation(
            message:
                "the quoted text ends before '\(text(problem.offset..<value.upperBound))'; \(remedy)",
            offsets: value, replacement: replacement, recovery: recovery(over: value))
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

    /// Explains a problem with a block scalar.
    func blockScalar() -> SyntaxExplanation? {
        guard problem.context == "while scanning a block scalar", let start = problem.contextOffset
        else { return nil }
        let sign = text(start..<start + 1)
        if says("indicator equal to 0") {
            return SyntaxExplanation(
                message: "the number after '\(sign)' is an indentation from 1 to 9; remove the 0",
                offsets: start..<problem.offset + 1)
        }
        let value = value(at: start)
        return SyntaxExplanation(
            message: "text cannot follow '\(sign)' on its line; "
                + "start it on the next line, or put quotes around '\(text(value))'",
            offsets: value)
    }
}
