/// Finds what somebody may have meant by a misspelt word.
public enum Suggestion {
    /// The candidate nearest to a word, `nil` when none is near.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        let lowered = word.lowercased()
        let bound = max(1, min(3, word.utf8.count / 3))
        let length = lowered.utf8.count
        let near = candidates.filter { abs($0.utf8.count - length) <= bound }
        let scored = near.map { (distance(lowered, $0.lowercased()), $0) }
        return scored.filter { $0.0 <= bound }.min { $0.0 < $1.0 }?.1
    }

    /// A remedy in words: the nearest candidate, or else the whole list.
    public static func remedy(
        for word: String, among candidates: [String], all: [String]? = nil
    ) -> String {
        if let nearest = nearest(to: word, among: candidates) {
            return "did you mean '\(nearest)'?"
        }
        let list = all ?? candidates
        return switch list.count {
        case 0: "there are none"
        case 1: "there is only '\(list[0])'"
        default: "there are \(list.joined(separator: ", "))"
        }
    }

    /// The number of insertions, deletions, replacements and swaps of neighbours between two words.
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

extension YAMLNode {
    /// The name of the tag that asks for an expression; core tags such as `!!str` do not count.
    var expressionName: String? { tag?.name }

    /// The text of an untagged scalar, whatever its type.
    public var scalarText: String? {
        guard case .scalar(let scalar) = kind, expressionName == nil else { return nil }
        return scalar.value
    }

    /// Whether the node is an empty text, list or mapping.
    var isEmpty: Bool {
        guard expressionName == nil else { return false }
        return switch kind {
        case .scalar(let scalar): scalar.value.isEmpty && !isNull
        case .sequence(let items): items.isEmpty
        case .mapping(let mapping): mapping.entries.isEmpty
        }
    }

    /// What the node is, in words, for messages.
    public var wording: String {
        if let expressionName { return "!\(expressionName)" }
        switch kind {
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        case .scalar(let scalar): return wording(of: scalar)
        }
    }

    private func wording(of scalar: YAMLScalar) -> String {
        switch resolved {
        case .null: "null"
        case .bool: scalar.value
        case .int, .float: "the number \(scalar.value.shortened)"
        case .string, nil: "'\(scalar.value.shortened)'"
        }
    }

    /// Whether a part of the node stands in for something that was reported already.
    var holdsPlaceholder: Bool { contains(where: \.isPlaceholder) }

    /// Whether the node or one inside it satisfies a condition.
    func contains(where condition: (YAMLNode) -> Bool) -> Bool {
        if condition(self) { return true }
        return switch kind {
        case .scalar: false
        case .sequence(let items): items.contains { $0.contains(where: condition) }
        case .mapping(let mapping):
            mapping.entries.contains {
                $0.key.contains(where: condition) || $0.value.contains(where: condition)
            }
        }
    }
}

extension SettingDecoder {
    /// Warns when a text has expressions in it that nobody asked to be rendered.
    func warnOfLiteralExpressions(in node: YAMLNode, text: String) {
        // Most texts have neither character, which is found much faster than a part of a text.
        let mayHoldOne = text.utf8.contains { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "{") }
        guard mayHoldOne, node.expressionName == nil else { return }
        warnOfLiteralInterpolation(in: node, text: text)
        warnOfLiteralTemplate(in: node, text: text)
    }

    private func warnOfLiteralInterpolation(in node: YAMLNode, text: String) {
        guard text.contains("%(") else { return }
        for selector in ["prop", "src", "kw", "secret", "worker"] {
            guard text.contains("%(\(selector):") else { continue }
            warning(
                "'%(\(selector):…)s' is sent as it is; write !Interpolate before the text to have "
                    + "it rendered", at: node.range)
            return
        }
    }

    /// Warns of `{{ name }}`; other braces, such as `{{.Names}}`, belong to other programs.
    private func warnOfLiteralTemplate(in node: YAMLNode, text: String) {
        guard scope != .report, text.contains("{{"),
            let found = text.firstMatch(of: /\{\{-?\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(?:\||-?\}\})/)
        else { return }
        let remedy =
            switch scope {
            case .service:
                "a service has no build; only texts in 'format' are templates"
            default: "write !Template before the text to have it rendered"
            }
        warning("'{{ \(String(found.1).shortened) }}' is sent as it is; \(remedy)", at: node.range)
    }
}

extension String {
    /// The text itself, or its beginning when it is too long to be a word of a sentence.
    var shortened: String {
        count > 40 ? prefix(37) + "..." : self
    }
}
