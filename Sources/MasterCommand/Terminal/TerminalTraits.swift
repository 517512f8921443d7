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
