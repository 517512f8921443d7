/// Characters that text without quotes cannot begin with, and tabs.
extension SyntaxExplainer {
    /// Explains a tab, or a character that means something else at the start of a value.
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
                problem.offset
            )
        let isIndentation = bytes[line.lowerBound..<problem.offset].allSatisfy(\.isBlank)
        let isEmptyLine = bytes[line].allSatisfy(\.isBlank)
        let message =
            if isEmptyLine {
                "an empty line contains a tab; remove it"
            } else if isIndentation {
                "a tab is used for indentation; use spaces"
            } else {
                "a tab cannot stand here; use a space"
            }
        return SyntaxExplanation(message: message, offsets: tabs)
    }

    private func startOfToken() -> SyntaxExplanation? {
        guard let byte else { return nil }
        if byte == .percent { return percent(problem.offset) }
        let value = value(at: problem.offset)
        let character = text(problem.offset..<problem.offset + 1)
        return SyntaxExplanation(
            message: "text cannot begin with '\(character)' without quotes; put quotes around it",
            offsets: value,
            replacement: quoted(value),
            recovery: recovery(over: value)
        )
    }

    private func percent(_ start: Int) -> SyntaxExplanation {
        let value = value(at: start)
        let isInterpolation = file.text(ofUTF8: value).contains("%(")
        let before = file.text(ofUTF8: file.byteRange(ofLineAt: start).lowerBound..<start)
        let needsTag = isInterpolation && !before.contains("!Interpolate")
        let remedy = needsTag ? ", as in !Interpolate \(quoted(value).clipped)" : ""
        return SyntaxExplanation(
            message: "text cannot begin with '%' without quotes; put quotes around it\(remedy)",
            offsets: value,
            replacement: (needsTag ? "!Interpolate " : "") + quoted(value),
            recovery: recovery(over: value)
        )
    }

    private func asterisk(_ start: Int) -> SyntaxExplanation {
        let value = value(at: start)
        return SyntaxExplanation(
            message: "'*' begins the name of an alias; put quotes around '\(text(value))'",
            offsets: value,
            replacement: quoted(value),
            recovery: recovery(over: value)
        )
    }

    private func ampersand(_ start: Int) -> SyntaxExplanation {
        let value = value(at: start)
        return SyntaxExplanation(
            message: "'&' begins the name of an anchor; put quotes around '\(text(value))'",
            offsets: value,
            replacement: quoted(value),
            recovery: recovery(over: value)
        )
    }

    /// Explains a line that begins with `%`, which libyaml takes for a directive.
    private func directive() -> SyntaxExplanation {
        let start = problem.contextOffset ?? problem.offset
        let line = start..<file.byteRange(ofLineAt: start).upperBound
        guard says("expected directive name") || bytes[line].contains(UInt8(ascii: "(")) else {
            return SyntaxExplanation(
                message: "'\(text(word(at: start)))' is no directive that is understood here; "
                    + "remove the line, or put quotes around it if it is text",
                offsets: line,
                recovery: .stop
            )
        }
        return percent(start)
    }
}
