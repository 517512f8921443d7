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
        default: "there are \(list.joined(separator: ", "))"
        }
    }

    /// Why a value is none of the choices, as the end of a sentence about it.
    package static func fault(of value: JSONValue, among choices: [JSONValue]) -> String {
        let text = value.text ?? "null"
        if let same = choices.first(where: { ($0.text ?? "null") == text }) {
            return "must be \(wording(of: same)), not \(wording(of: value))"
        }
        let known = choices.map { $0.text ?? "null" }
        return "can't be '\(text)'; \(remedy(for: text, among: known))"
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

extension YAMLNode {
    /// The name of the expression tag; core tags such as `!!str` do not count.
    var expressionName: String? { tag?.name }

    /// The text of an untagged scalar, regardless of its type.
    public var scalarText: String? {
        guard case .scalar(let scalar) = kind, expressionName == nil else { return nil }
        return scalar.value
    }

    /// Whether the node is an empty string, list or mapping.
    var isEmpty: Bool {
        guard expressionName == nil else { return false }
        return switch kind {
        case .scalar(let scalar): scalar.value.isEmpty && !isNull
        case .sequence(let items): items.isEmpty
        case .mapping(let mapping): mapping.entries.isEmpty
        }
    }

    /// A description of the node for messages.
    public var wording: String {
        if let expressionName { return "!\(expressionName)" }
        switch kind {
        case .sequence(let items): return items.isEmpty ? "an empty list" : "a list"
        case .mapping(let mapping):
            return mapping.entries.isEmpty ? "an empty mapping" : "a mapping"
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

    /// Whether part of the node is a placeholder for something already reported.
    var holdsPlaceholder: Bool { contains(where: \.isPlaceholder) }

    /// Whether the node or any descendant satisfies a condition.
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
    /// Warns if a string contains expressions that will not be rendered.
    func warnOfLiteralExpressions(in node: YAMLNode, text: String) {
        // Most strings contain neither character, and a character is found much faster than a
        // substring.
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

    /// Warns about `{{ name }}`; other braces, such as `{{.Names}}`, belong to other programs.
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
    /// The string, or its beginning if it is too long to quote in a sentence.
    var shortened: String {
        count > 40 ? prefix(37) + "..." : self
    }
}
