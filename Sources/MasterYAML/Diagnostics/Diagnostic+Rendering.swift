extension Diagnostic {
    /// A piece of a rendered diagnostic, which a terminal may colour.
    public enum Part: Sendable, Hashable {
        /// The file name, line and column.
        case location
        /// The word `error`, `warning` or `note`.
        case severity(Severity)
        /// The sentence.
        case message
        /// The line number and the bar.
        case gutter
        /// The line of the file.
        case source
        /// The caret and the tildes.
        case underline(Severity)
    }

    /// Renders the diagnostic as text, without a line end after the last line.
    ///
    /// - Parameter style: Gives each piece its final form; it must not change its width on screen.
    /// - Returns: The head line, the source line with a caret, the notes and the fix.
    public func rendered(style: (Part, String) -> String = { $1 }) -> String {
        var lines = block(severity, message, range, style)
        for note in notes {
            lines += block(.note, note.message, note.range, style)
        }
        if let fix = fix?.message {
            lines.append(style(.gutter, "    = ") + style(.message, "fix: \(fix.escapingControls)"))
        }
        return lines.joined(separator: "\n")
    }

    private func block(
        _ severity: Severity,
        _ message: String,
        _ range: SourceRange?,
        _ style: (Part, String) -> String
    ) -> [String] {
        let place = [file?.name.escapingControls, range?.start.description].compactMap(\.self)
        let location =
            place.isEmpty ? "" : style(.location, place.joined(separator: ":") + ":") + " "
        let head =
            location + style(.severity(severity), "\(severity.rawValue):") + " "
            + style(.message, message.escapingControls)
        guard let file, let range, let snippet = SourceSnippet(file: file, range: range) else {
            return [head]
        }
        let number = "  \(range.start.line)"
        let blank = String(repeating: " ", count: number.count)
        return [
            head,
            style(.gutter, number + " |") + " " + style(.source, snippet.source),
            style(.gutter, blank + " |") + " " + snippet.indentation
                + style(.underline(severity), snippet.underline),
        ]
    }
}

extension Diagnostic: CustomStringConvertible {
    /// The diagnostic as ``rendered(style:)`` gives it without a style.
    public var description: String { rendered() }
}
