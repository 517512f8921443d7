internal import MasterKit

/// The style of text on a color terminal.
enum TextStyle: String, Sendable {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
    case boldRed = "1;31"
    case boldYellow = "1;33"

    /// The style for a result; `nil` means running.
    init(_ results: Results?) {
        switch results {
        case .success: self = .green
        case .warnings: self = .yellow
        case .failure, .exception: self = .red
        case .retry, .cancelled: self = .yellow
        case .skipped: self = .dim
        case nil: self = .cyan
        }
    }
}

/// Applies styles to text, or leaves it unchanged without color.
struct TextPainter: Sendable {
    /// Whether to use color.
    let hasColour: Bool

    /// Applies a style to a text.
    func callAsFunction(_ style: TextStyle, _ text: String) -> String {
        hasColour && !text.isEmpty ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }
}

/// The capabilities of a stream, according to the stream itself and the environment.
struct TerminalTraits: Sendable, Hashable {
    /// Whether lines can be redrawn.
    var canRedraw: Bool
    /// Whether to use color.
    var hasColour: Bool
    /// Whether non-ASCII characters can be shown.
    var hasUnicode: Bool
    /// Whether to add the commands of GitHub's log viewer: groups and annotations.
    var wantsAnnotations: Bool
    /// Whether to add the sections of GitLab's log viewer.
    var wantsSections: Bool

    /// Determines the capabilities of a stream.
    ///
    /// Lines are redrawn only on a terminal, and never if `CI` is set or `TERM` is `dumb`; color
    /// also requires that `NO_COLOR` is not set.
    init(isTerminal: Bool, environment: [String: String]) {
        let term = environment["TERM"] ?? ""
        let isDumb = term.isEmpty || term == "dumb"
        canRedraw = isTerminal && !isDumb && !Self.isTrue("CI", environment)
        hasColour = canRedraw && (environment["NO_COLOR"] ?? "").isEmpty
        hasUnicode = Self.isUTF8(environment)
        wantsAnnotations = environment["GITHUB_ACTIONS"] == "true"
        wantsSections = environment["GITLAB_CI"] == "true"
    }

    /// Those of a text that is shown elsewhere.
    static let plain = TerminalTraits(isTerminal: false, environment: [:])

    /// The capabilities of a stream of this process.
    static func of(_ stream: StandardStream, environment: [String: String]) -> TerminalTraits {
        TerminalTraits(isTerminal: stream.isTerminal, environment: environment)
    }

    private static func isTrue(_ name: String, _ environment: [String: String]) -> Bool {
        !["", "0", "false"].contains(environment[name] ?? "")
    }

    /// Whether the locale for characters uses UTF-8.
    private static func isUTF8(_ environment: [String: String]) -> Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy
            .compactMap { environment[$0] }
            .first { !$0.isEmpty }
        let name = (locale ?? "").lowercased()
        return name.hasSuffix("utf-8") || name.hasSuffix("utf8")
    }
}

extension String {
    /// The number of columns of the text on a terminal; the text must not contain styles.
    var columns: Int {
        utf8.allSatisfy { $0 < 0x80 } ? utf8.count : reduce(0) { $0 + $1.columns }
    }

    /// The number of columns of a text with styles.
    var columnsWithoutStyles: Int { TerminalText.plain(self).columns }

    /// The text in exactly the given number of columns: padded with spaces, or truncated with an
    /// ellipsis.
    func fitted(to width: Int, ellipsis: String = "…") -> String {
        let cut = cut(to: width, ellipsis: ellipsis)
        return cut + String(repeating: " ", count: Swift.max(0, width - cut.columns))
    }

    /// The text in at most the given number of columns, truncated with an ellipsis if necessary.
    func cut(to width: Int, ellipsis: String = "…") -> String {
        guard columns > width else { return self }
        guard width >= ellipsis.columns else { return "" }
        var cut = ""
        var room = width - ellipsis.columns
        for character in self {
            let columns = String(character).columns
            guard columns <= room else { break }
            cut.append(character)
            room -= columns
        }
        return cut + ellipsis
    }

    /// The text in at most the given number of columns; if necessary, an ellipsis replaces its
    /// middle, so that the end stays visible.
    func cutInMiddle(to width: Int, ellipsis: String = "…") -> String {
        let room = (width - ellipsis.columns) / 2
        guard columns > width, room > 0 else { return cut(to: width, ellipsis: ellipsis) }
        var end = ""
        for character in reversed() {
            guard end.columns + String(character).columns <= room else { break }
            end = String(character) + end
        }
        return cut(to: width - end.columns, ellipsis: ellipsis) + end
    }

    /// Makes control characters visible, which would disturb a terminal.
    ///
    /// - Parameter tabs: Whether to keep tabs.
    /// - Returns: The text without control characters except those tabs.
    func makingControlsVisible(keepingTabs tabs: Bool = false) -> String {
        guard unicodeScalars.contains(where: \.isControl) else { return self }
        var shown = ""
        for scalar in unicodeScalars {
            if !scalar.isControl || (tabs && scalar == "\t") {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += scalar == "\t" ? "    " : scalar.escaped(asASCII: true)
            }
        }
        return shown
    }
}

extension Character {
    /// The number of columns of the character on a terminal: 0, 1 or 2; a sequence of several
    /// scalars is as wide as its widest one, or wide if it asks to be shown as emoji.
    fileprivate var columns: Int {
        unicodeScalars.contains("\u{FE0F}")
            ? 2 : unicodeScalars.reduce(0) { Swift.max($0, $1.columns) }
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format: value != 0x200D
        default: false
        }
    }

    /// The number of columns of the scalar on a terminal: 0, 1 or 2.
    fileprivate var columns: Int {
        if isASCII { return 1 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        let isWide = properties.isEmojiPresentation || Self.wide.contains { $0.contains(value) }
        return isWide ? 2 : 1
    }

    /// The blocks of wide characters according to Unicode's East Asian Width.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
        0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
        0x20000...0x3FFFD,
    ]
}
