/// Finds suggestions for misspelled words.
public enum Suggestion {
    /// The candidate closest to a word, or `nil` if none is close enough.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        let lowered = word.lowercased()
        let bound = max(1, min(3, word.utf8.count / 3))
        let length = lowered.utf8.count
        let near = candidates.filter { abs($0.utf8.count - length) <= bound }
        let scored = near.map { (distance(lowered, $0.lowercased()), $0) }
        return scored.filter { $0.0 <= bound }.min { $0.0 < $1.0 }?.1
    }

    /// A remedy for a message: the closest candidate, or else the whole list.
    public static func remedy(
        for word: String, among candidates: [String], all: [String]? = nil
    ) -> String {
        // A number close to another one is hardly a misspelling of it.
        if Double(word) == nil, let nearest = nearest(to: word, among: candidates) {
            return "did you mean '\(nearest)'?"
        }
        let list = all ?? candidates
        return switch list.count {
        case 0: "there are none"
        case 1: "there is only '\(list[0])'"
        case ...longestList: "there are \(list.joined(separator: ", "))"
        default: "there are \(list.count), such as \(examples(of: list, for: word))"
        }
    }

    /// The most names that a message lists.
    private static let longestList = 50

    /// Some of many names: those that contain the word, or else those that begin most like it.
    private static func examples(of list: [String], for word: String) -> String {
        let lowered = word.lowercased()
        let containing = list.filter { $0.lowercased().contains(lowered) }
        func shared(_ name: String) -> Int {
            zip(name.lowercased(), lowered).prefix { $0 == $1 }.count
        }
        let closest = list.map(shared).max()
        let some = containing.isEmpty ? list.filter { shared($0) == closest } : containing
        return some.prefix(8).joined(separator: ", ")
    }

    /// A remedy for a value that is not one of the choices: the closest one, or else all of them.
    public static func choice(for word: String, among choices: [String]) -> String {
        if Double(word) == nil, let nearest = nearest(to: word, among: choices) {
            return "did you mean '\(nearest)'?"
        }
        guard let last = choices.last else { return "there are none" }
        let others = choices.dropLast().joined(separator: ", ")
        return "choose " + (others.isEmpty ? last : "\(others) or \(last)")
    }

    /// Why a value is none of the choices, as the end of a sentence about it.
    package static func fault(of value: JSONValue, among choices: [JSONValue]) -> String {
        let text = value.text ?? "null"
        if let same = choices.first(where: { ($0.text ?? "null") == text }) {
            return "must be \(wording(of: same)), not \(wording(of: value))"
        }
        let known = choices.map { $0.text ?? "null" }
        return "can't be '\(text)'; \(choice(for: text, among: known))"
    }

    private static func wording(of value: JSONValue) -> String {
        let text = value.text ?? "null"
        return switch value {
        case .string: "the text '\(text)'"
        case .number: "the number \(text)"
        case .null, .bool, .array, .object: text
        }
    }

    /// The number of insertions, deletions, replacements and transpositions of adjacent characters
    /// between two words.
    static func distance(_ one: String, _ other: String) -> Int {
        let a = Array(one.utf8.prefix(64))
        let b = Array(other.utf8.prefix(64))
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                let replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                var best = min(replaced, last[j] + 1, row[j - 1] + 1)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    best = min(best, beforeLast[j - 2] + 1)
                }
                row.append(best)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}

/// Settings that can explain why a name is unknown, for example because it belongs to another
/// plugin. The hints of a plugin come first, then those of its groups.
public protocol SettingHints: Settings {
    /// Returns what to do instead of using this unknown setting, or `nil` if there is no specific
    /// hint.
    static func hint(forUnknown name: String) -> String?
}

extension SettingDecoder {
    /// Reports an unknown setting.
    ///
    /// - Returns: The setting that was probably meant, which is then not reported as missing as
    ///   well.
    func reportUnknown(
        _ name: String, _ key: YAMLNode, in table: SettingTable, owner: String
    ) -> String? {
        let shown = name.shortened
        for type in table.layout.types {
            guard let hint = type.firstHint(forUnknown: name) else { continue }
            error("\(owner) has no setting '\(shown)'; \(hint)", at: key.range)
            let named = hint.wholeMatch(of: /write '(\w+)'/).map { String($0.1) }
            return named.flatMap { table.field(named: $0)?.declaration.name }
        }
        let declarations = table.layout.declarations
        let known = declarations.flatMap { [$0.name] + $0.aliases }
        let remedy = Suggestion.remedy(for: name, among: known, all: declarations.map(\.name))
        error("\(owner) has no setting '\(shown)'; \(remedy)", at: key.range)
        let meant = Suggestion.nearest(to: name, among: known)
        return meant.flatMap { table.field(named: $0)?.declaration.name }
    }

    func reportDuplicateDeclaration(
        _ table: SettingTable, owner: String, at place: SourceRange?
    ) {
        let primaries = table.layout.declarations.filter(\.isPrimary)
        if primaries.count > 1 {
            error(
                "\(owner) declares two primary settings, '\(primaries[0].name)' and "
                    + "'\(primaries[1].name)'; only one can be '.primary' in its Swift source",
                at: place)
        }
        guard let name = table.layout.duplicateName else { return }
        error(
            "\(owner) declares two settings named '\(name)'; one of them needs another name in "
                + "its Swift source", at: place)
    }

    /// Where a plugin can be that this program does not have.
    private static var foreignPlugin: String {
        "'plugins list' shows them; if it belongs to another master, run that program, or name the "
            + "plugin's package in 'plugins'"
    }

    /// What a word without a namespace may be.
    private static func bareWord(among known: [Registry.Entry]) -> String {
        let areSteps = known.first?.key.namespace == PluginKind.steps.namespace
        return "'plugins list' shows them"
            + (areSteps ? ", and a command is written 'steps.ShellCommand: COMMAND'" : "")
    }

    /// The most plugin keys that a message lists.
    private static var shownKeyCount: Int { 12 }

    func reportUnknownPlugin<Value>(
        _ text: String, among known: [Registry.Entry], at range: SourceRange?
    ) -> Value? {
        // It may belong to a package that is not loaded, about which there is a message already.
        guard !registry.isIncomplete else { return nil }
        if let remedy = AbsentPlugin.remedy(for: text, among: known) {
            return error("there is no plugin '\(text.shortened)'; \(remedy)", at: range)
        }
        let name = text.split(separator: ".").last ?? ""
        let sameName = known.first { $0.key.name == name }.map { "did you mean '\($0.key)'?" }
        // Also 'words.IRC' or 'worker.DockerLatentWorker', as modules of Buildbot are named.
        let plain = known.first.map { "\($0.key.namespace.rawValue).\(name)" }
        if sameName == nil, let plain,
            let remedy = AbsentPlugin.remedy(for: plain, among: known)
        {
            return error("there is no plugin '\(text.shortened)'; \(remedy)", at: range)
        }
        if !text.contains("."), known.first?.key.namespace == PluginKind.workers.namespace {
            return error(
                "there is no plugin '\(text.shortened)'; write 'workers.Worker: {name: …, password: "
                    + "!Secret …}'", at: range)
        }
        let keys = known.map(\.key.description)
        // The kind of the plugin alone makes no key a near one.
        let near = known.map(\.key).filter {
            Suggestion.nearest(to: String(name), among: [$0.name]) != nil
        }.map(\.description)
        let nearest = Suggestion.nearest(to: text, among: near).map { "did you mean '\($0)'?" }
        let remedy =
            sameName ?? nearest
            ?? (keys.count > Self.shownKeyCount
                ? (text.contains(".") ? Self.foreignPlugin : Self.bareWord(among: known))
                : Suggestion.remedy(for: text, among: keys))
        return error("there is no plugin '\(text.shortened)'; \(remedy)", at: range)
    }
}
