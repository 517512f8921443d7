internal import MasterKit

/// How a piece of text looks on a terminal with colours.
enum TextStyle: String, Sendable {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
    case boldRed = "1;31"
    case boldYellow = "1;33"

    /// The style in which a result is shown; `nil` while something runs.
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

/// Gives texts their style, or leaves them as they are.
struct TextPainter: Sendable {
    /// Whether colours are wanted.
    let hasColour: Bool

    /// The text in a style.
    func callAsFunction(_ style: TextStyle, _ text: String) -> String {
        hasColour && !text.isEmpty ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }
}

/// What a stream can show, from the stream itself and from the environment.
struct TerminalTraits: Sendable, Hashable {
    /// Whether lines may be drawn over.
    var canRedraw: Bool
    /// Whether colours are wanted.
    var hasColour: Bool
    /// Whether more than ASCII can be shown.
    var hasUnicode: Bool
    /// Whether configuration errors are also said in the form that GitHub's log viewer reads.
    var wantsAnnotations: Bool

    /// Finds out what a stream can show.
    ///
    /// Lines are redrawn on a terminal alone, and never when `CI` is set or `TERM` is `dumb`;
    /// colours moreover only when `NO_COLOR` is not set.
    init(isTerminal: Bool, environment: [String: String]) {
        let term = environment["TERM"] ?? ""
        let isDumb = term.isEmpty || term == "dumb"
        canRedraw = isTerminal && !isDumb && !Self.isTrue("CI", environment)
        hasColour = canRedraw && (environment["NO_COLOR"] ?? "").isEmpty
        hasUnicode = Self.isUTF8(environment)
        wantsAnnotations = environment["GITHUB_ACTIONS"] == "true"
    }

    /// The traits of a stream of this process.
    static func of(_ stream: StandardStream, environment: [String: String]) -> TerminalTraits {
        TerminalTraits(isTerminal: stream.isTerminal, environment: environment)
    }

    private static func isTrue(_ name: String, _ environment: [String: String]) -> Bool {
        !["", "0", "false"].contains(environment[name] ?? "")
    }

    /// Whether the locale that counts for characters is one in UTF-8.
    private static func isUTF8(_ environment: [String: String]) -> Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy
            .compactMap { environment[$0] }
            .first { !$0.isEmpty }
        let name = (locale ?? "").lowercased()
        return name.hasSuffix("utf-8") || name.hasSuffix("utf8")
    }
}

extension String {
    /// The number of columns that a terminal gives to the text, which has no styles in it.
    var columns: Int {
        utf8.allSatisfy { $0 < 0x80 }
            ? utf8.count : unicodeScalars.reduce(0) { $0 + $1.columns }
    }

    /// The text in exactly as many columns: filled up with spaces, or cut with an ellipsis.
    func fitted(to width: Int, ellipsis: String = "…") -> String {
        let cut = cut(to: width, ellipsis: ellipsis)
        return cut + String(repeating: " ", count: Swift.max(0, width - cut.columns))
    }

    /// The text in at most as many columns, cut with an ellipsis where it is longer.
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

    /// The text with the characters that would disturb a terminal made visible.
    ///
    /// - Parameter tabs: Whether tabs may stay.
    /// - Returns: A text without control characters but those tabs.
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

extension Unicode.Scalar {
    fileprivate var isControl: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format: value != 0x200D
        default: false
        }
    }

    /// The columns that a terminal gives to the scalar: 0, 1 or 2.
    fileprivate var columns: Int {
        if isASCII { return 1 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        let isWide = properties.isEmojiPresentation || Self.wide.contains { $0.contains(value) }
        return isWide ? 2 : 1
    }

    /// The blocks whose characters are wide in Unicode's East Asian Width.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
        0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
        0x20000...0x3FFFD,
    ]
}
