/// Finds the mistake behind a syntax error, from libyaml's message and its location.
struct SyntaxExplainer {
    let file: SourceFile
    /// The bytes as they were read, with earlier mistakes overwritten.
    let bytes: [UInt8]
    let problem: SyntaxProblem
    /// The last event before the problem.
    let lastEvent: Range<Int>
    /// The last scalar before the problem.
    let lastScalar: (scalar: YAMLScalar, offsets: Range<Int>)?
    /// Where the innermost open collection starts, if it is in flow style.
    let openBracket: Int?

    /// Whether the innermost open collection is in flow style.
    var isInFlow: Bool { openBracket != nil }

    func explain() -> SyntaxExplanation {
        let aboutText = unclosedBracket() ?? character() ?? template() ?? tags() ?? quotes()
        let aboutStructure = blockScalar() ?? mapping() ?? flow() ?? indentation() ?? document()
        return aboutText ?? aboutStructure ?? unknown()
    }

    private func unknown() -> SyntaxExplanation {
        SyntaxExplanation(
            message: "YAML does not allow this here; text with special characters needs quotes",
            offsets: word(at: problem.offset), recovery: .stop)
    }
}

extension SyntaxExplainer {
    /// Whether libyaml's message contains a phrase.
    func says(_ phrase: String) -> Bool { problem.problem.contains(phrase) }

    /// The byte at the problem; nil at the end of the file.
    var byte: UInt8? { problem.offset < bytes.count ? bytes[problem.offset] : nil }

    /// The line of the problem.
    var parts: LineParts { parts(at: problem.offset) }

    /// Returns the parts of the line at an offset.
    func parts(at offset: Int) -> LineParts {
        LineParts(bytes, line: file.byteRange(ofLineAt: offset))
    }

    /// Returns the text between two offsets as it is in the file, shortened.
    func text(_ offsets: Range<Int>) -> String { file.text(ofUTF8: offsets).clipped }

    func isSameLine(_ first: Int, _ second: Int) -> Bool {
        file.lineNumber(ofUTF8Offset: first) == file.lineNumber(ofUTF8Offset: second)
    }

    /// Returns the range from an offset to the next blank or the end of the line.
    func word(at offset: Int) -> Range<Int> {
        let rest = offset..<max(file.byteRange(ofLineAt: offset).upperBound, offset)
        return offset..<(rest.first { bytes[$0].isBlank } ?? rest.upperBound)
    }

    /// Returns the range of the text that starts at an offset: a key, a value, or an item in
    /// brackets.
    func value(at offset: Int) -> Range<Int> {
        let parts = parts(at: offset)
        if let key = parts.key, key.contains(offset) { return offset..<key.upperBound }
        var end = max(parts.value.upperBound, offset)
        if isInBrackets(at: offset) {
            end = (offset..<end).first { bytes[$0].isFlowIndicator } ?? end
            while end > offset, bytes[end - 1].isBlank { end -= 1 }
        }
        return offset..<end
    }

    /// Whether an offset is inside brackets, judging by the events and its line.
    private func isInBrackets(at offset: Int) -> Bool {
        if isInFlow { return true }
        let parts = parts(at: offset)
        let start = parts.key == nil ? parts.contentStart : parts.value.lowerBound
        return BracketScan(bytes, min(start, offset)..<offset).depth > 0
    }

    /// Returns the text in double quotes.
    func quoted(_ offsets: Range<Int>) -> String {
        let escaped = file.text(ofUTF8: offsets).map { character in
            character == "\"" || character == "\\" ? "\\\(character)" : String(character)
        }
        return "\"\(escaped.joined())\""
    }

    /// Returns how to skip a value: by itself if it certainly ends with its line, else with its
    /// section.
    func recovery(over value: Range<Int>) -> SyntaxExplanation.Recovery {
        guard !isInBrackets(at: value.lowerBound) else { return .overwrite(value) }
        let parts = parts(at: value.lowerBound)
        let owner = (parts.key?.lowerBound ?? parts.contentStart) - parts.line.lowerBound
        let next = meaningfulLine(after: parts.line.upperBound)
        return next.map { $0.indentation > owner } ?? false ? .skipSection : .overwrite(value)
    }

    /// Returns the next line after an offset that is neither empty nor a comment.
    func meaningfulLine(after offset: Int) -> LineParts? {
        let number = file.lineNumber(ofUTF8Offset: offset)
        return firstMeaningful(of: stride(from: number + 1, through: file.lineCount, by: 1))
    }

    /// Returns the last line before an offset that is neither empty nor a comment.
    func meaningfulLine(before offset: Int) -> LineParts? {
        let number = file.lineNumber(ofUTF8Offset: offset)
        return firstMeaningful(of: stride(from: number - 1, through: 1, by: -1))
    }

    /// The first line that is neither empty nor a comment.
    var firstMeaningfulLine: LineParts? {
        firstMeaningful(of: stride(from: 1, through: file.lineCount, by: 1))
    }

    private func firstMeaningful(of numbers: StrideThrough<Int>) -> LineParts? {
        for number in numbers {
            let line = file.byteRange(ofLine: number)
            let content = bytes[line].drop(while: \.isBlank)
            guard !content.isEmpty, content.first != .hash, !content.starts(with: "---".utf8) else {
                continue
            }
            return LineParts(bytes, line: line)
        }
        return nil
    }
}

/// The explanation of a syntax error, and how to continue with the rest of the file.
struct SyntaxExplanation {
    /// How to continue after a mistake.
    enum Recovery {
        /// Read a harmless word in place of this value, which is part of one line.
        case overwrite(Range<Int>)
        /// Read the node after this tag as if the tag were not there.
        case dropTag(Range<Int>)
        /// Skip the top-level section with the mistake.
        case skipSection
        /// Stop, because nothing after it could be trusted.
        case stop
    }

    /// The message about a value that starts with `{{`.
    static let unquotedTemplate =
        "an unquoted '{{' starts a mapping, not a template; "
        + "put quotes around the text, as in !Template \"{{ … }}\""

    let message: String
    /// Where the mistake is, possibly far before libyaml's own location.
    let offsets: Range<Int>
    var notes: [(message: String, offsets: Range<Int>)] = []
    var replacement: String?
    var recovery = Recovery.skipSection

    func diagnostic(in file: SourceFile) -> Diagnostic {
        let range = file.range(ofUTF8: offsets)
        return Diagnostic(
            .error, message, file: file, range: range,
            notes: notes.map { Diagnostic.Note($0.message, range: file.range(ofUTF8: $0.offsets)) },
            fix: replacement.map { Diagnostic.Fix(replacement: $0, range: range) })
    }
}

/// Document markers and directives.
extension SyntaxExplainer {
    /// Explains problems before or after the document, and those that are not in the text.
    func document() -> SyntaxExplanation? {
        if says("<document start>") {
            return SyntaxExplanation(
                message: "the document ends before this line; a file has only one document",
                offsets: word(at: problem.offset), recovery: .stop)
        }
        if says("incompatible YAML document") || says("duplicate %YAML") || says("duplicate %TAG") {
            let line = file.byteRange(ofLineAt: problem.offset)
            return SyntaxExplanation(
                message: "unsupported directive; remove the line (the file is read as YAML 1.2)",
                offsets: problem.offset..<max(line.upperBound, problem.offset), recovery: .stop)
        }
        if says("out of memory") {
            return SyntaxExplanation(
                message: "not enough memory to read the file", offsets: 0..<0,
                recovery: .stop)
        }
        return nil
    }
}

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
