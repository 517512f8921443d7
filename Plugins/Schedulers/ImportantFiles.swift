internal import MasterKit

/// The setting `fileIsImportant`: the files that make a change important.
struct ImportantFiles: Settings, SettingValue {
    @Setting("A change of one of these files is important; by default, of any file.", .primary)
    var include: OneOrMore<FileGlob>?
    @Setting("Files that do not make a change important.") var exclude: OneOrMore<FileGlob>?

    /// Requires at least one pattern.
    func check(_ settings: SettingsCheck) {
        guard include == nil, exclude == nil else { return }
        settings.error(
            "'fileIsImportant' needs patterns such as src/** in 'include' or 'exclude'",
            at: "include")
    }

    /// Whether a change is important; one whose files are unknown is.
    ///
    /// - Throws: An error if a pattern needs too many steps.
    func areIn(_ change: Change) throws -> Bool {
        guard !change.files.isEmpty else { return true }
        return try change.files.contains { file in
            if let include, !(try include.items.contains { try $0.fits(file) }) { return false }
            return !(try exclude?.items.contains { try $0.fits(file) } ?? false)
        }
    }
}

/// A pattern for paths, such as `src/**` or `*.md`.
///
/// `*` and `?` fit within a name, `**` also across folders, and `[a-z]` is one of some characters. A
/// pattern without a slash fits files of that name in all folders, one that ends in a slash
/// everything in a folder.
struct FileGlob: SettingValue {
    private let pattern: Pattern

    static var shape: String { "a pattern such as src/** or *.md" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FileGlob? {
        guard let text = decoder.decode(String.self, from: node) else { return nil }
        if let fault = fault(of: text) {
            return decoder.error("'\(text)' \(fault)", at: node.range)
        }
        do {
            return FileGlob(pattern: try Pattern(expression(for: text)))
        } catch {
            return decoder.error(
                "'\(text)' is not a pattern for paths: \(error)", at: node.range)
        }
    }

    /// Whether a path fits.
    func fits(_ path: String) throws -> Bool { try pattern.isFound(in: path) }

    /// What is wrong with a pattern, to follow its text.
    private static func fault(of text: String) -> String? {
        if text.isEmpty { return "is not a pattern for paths; write a pattern such as src/**" }
        if text.hasPrefix("lambda") { return "is Python; write patterns such as src/**" }
        if text.hasPrefix("!") { return "begins with '!'; write the rest of it in 'exclude'" }
        if let open = text.lastIndex(of: "["), !text[open...].contains("]") {
            return "has a '[' without a ']'"
        }
        if text.hasPrefix("/") || text.hasPrefix("./") {
            return "never fits, as paths are relative to the repository; omit the first '/'"
        }
        return nil
    }

    /// The pattern as a regular expression.
    private static func expression(for glob: String) -> String {
        var rest = glob[...]
        var expression = "(?s)\\A"
        let folder = rest.hasSuffix("/")
        if !rest.dropLast().contains("/") { expression += "(?:.*/)?" }
        if folder { rest += "**" }
        while let character = rest.first {
            if rest.hasPrefix("**/") {
                expression += "(?:.*/)?"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("**") {
                expression += ".*"
                rest = rest.dropFirst(2)
            } else {
                rest = rest.dropFirst()
                expression += part(for: character, &rest)
            }
        }
        return expression + "\\z"
    }

    private static func part(for character: Character, _ rest: inout Substring) -> String {
        switch character {
        case "*": return "[^/]*"
        case "?": return "[^/]"
        case "[":
            var part = "(?!/)["
            if let first = rest.first, first == "!" || first == "^" {
                part += "^"
                rest = rest.dropFirst()
            }
            while let next = rest.popFirst() {
                part += next == "[" || next == "\\" ? "\\\(next)" : "\(next)"
                if next == "]" { break }
            }
            return part
        default: return character.literalExpression
        }
    }
}

extension Character {
    /// The regular expression that matches this character alone.
    var literalExpression: String {
        isLetter || isNumber || self == "_" ? "\(self)" : "\\\(self)"
    }
}
