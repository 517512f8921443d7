internal import FoundationEssentials
internal import MasterKit

/// Formats the diagnostics of a file for users, and for GitHub's log viewer.
struct DiagnosticPrinter: Sendable {
    let paint: TextPainter
    /// Whether annotations for GitHub's log viewer are added.
    let wantsAnnotations: Bool

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        wantsAnnotations = traits.wantsAnnotations
    }

    /// The lines for all diagnostics of a file, ending with their count.
    func lines(_ diagnostics: [Diagnostic], of file: String) -> [String] {
        guard !diagnostics.isEmpty else { return [] }
        let shown = diagnostics.flatMap { diagnostic in
            diagnostic.rendered { paint(Self.style(of: $0), $1) }.lines
        }
        return shown + [Self.count(diagnostics, in: file)]
    }

    /// The annotations for GitHub's log viewer; none elsewhere.
    func annotations(_ diagnostics: [Diagnostic], of file: String) -> [String] {
        wantsAnnotations ? diagnostics.map { Self.annotation($0, file: file) } : []
    }

    /// The number of errors and warnings, such as `3 errors, 1 warning in master.yaml`.
    static func count(_ diagnostics: [Diagnostic], in file: String) -> String {
        let counts = Diagnostic.Severity.allCases.compactMap { severity -> String? in
            let count = diagnostics.count { $0.severity == severity }
            return count == 0 ? nil : count.counting(severity.rawValue)
        }
        return counts.joined(separator: ", ") + " in \(file)"
    }

    /// The diagnostic as a command of GitHub's workflow language.
    static func annotation(_ diagnostic: Diagnostic, file: String) -> String {
        let command = diagnostic.severity == .note ? "notice" : diagnostic.severity.rawValue
        var parameters = [("file", diagnostic.file?.name ?? file)]
        if let range = diagnostic.range {
            parameters += [
                ("line", "\(range.start.line)"), ("col", "\(range.start.column)"),
                ("endLine", "\(range.end.line)"), ("endColumn", "\(range.end.column)"),
            ]
        }
        return self.command(command, parameters, diagnostic.message)
    }

    /// A command of GitHub's workflow language.
    static func command(
        _ name: String, _ parameters: [(String, String)], _ message: String
    ) -> String {
        let list = parameters.map { "\($0)=\(escaped($1, isParameter: true))" }
        let space = list.isEmpty ? "" : " "
        return "::\(name)\(space)\(list.joined(separator: ","))::\(escaped(message))"
    }

    private static func escaped(_ text: String, isParameter: Bool = false) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "%": escaped += "%25"
            case "\r": escaped += "%0D"
            case "\n": escaped += "%0A"
            case "\r\n": escaped += "%0D%0A"
            case ":" where isParameter: escaped += "%3A"
            case "," where isParameter: escaped += "%2C"
            default: escaped.append(character)
            }
        }
    }

    private static func style(of part: Diagnostic.Part) -> TextStyle {
        switch part {
        case .location, .message: .bold
        case .severity(.error), .underline(.error): .boldRed
        case .severity(.warning), .underline(.warning): .boldYellow
        case .severity(.note), .underline(.note): .cyan
        case .gutter: .dim
        case .source: .dim
        }
    }
}

/// A part of the output that the log viewers of GitHub and GitLab show collapsed; elsewhere there
/// are no lines around it.
struct LogSection: Sendable {
    private let traits: TerminalTraits
    private let name: String

    init(_ traits: TerminalTraits, name: String) {
        self.traits = traits
        self.name = name
    }

    /// The lines before the section.
    func begin(at time: Date) -> [String] {
        if traits.wantsAnnotations { return [DiagnosticPrinter.command("group", [], name)] }
        guard traits.wantsSections else { return [] }
        return [marker("section_start", time, "[collapsed=true]") + name]
    }

    /// The lines after the section.
    func end(at time: Date) -> [String] {
        if traits.wantsAnnotations { return [DiagnosticPrinter.command("endgroup", [], "")] }
        return traits.wantsSections ? [marker("section_end", time)] : []
    }

    private func marker(_ word: String, _ time: Date, _ options: String = "") -> String {
        let seconds = Int(time.timeIntervalSince1970)
        return "\u{1B}[0K\(word):\(seconds):buildmaster_\(name)\(options)\r\u{1B}[0K"
    }
}

extension Int {
    /// The number with a noun, in the plural unless it is one: `1 step`, `2 steps`.
    func counting(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
