extension InterpolationParser {
    private typealias Part = InterpolationFormat.Part
    private typealias Modifier = InterpolationFormat.Modifier

    /// Parses the contents of an expression's parentheses.
    mutating func parseExpression(inside range: Range<Int>) -> [InterpolationFormat.Part] {
        guard depth < InterpolationFormat.maximumDepth else {
            report(
                "expressions nest deeper than \(InterpolationFormat.maximumDepth) levels; "
                    + "compute the value in a step that sets a property",
                range
            )
            return []
        }
        depth += 1
        defer { depth -= 1 }
        guard let (selector, rest) = parseSelector(range) else { return [] }
        if selector == .src { return parseSource(rest, inside: range) }
        let (name, modifier) = splitAtColon(rest)
        let isGoodName = check(name, of: selector.noun)
        if name.isEmpty {
            report(
                "'%(\(quoted(range)))s' names no \(selector.noun); "
                    + "write %(\(selector.rawValue):name)s",
                range
            )
        }
        if selector == .secret, let modifier = splitEncoding(modifier).rest {
            reportSecretModifier(modifier, name)
            return []
        }
        guard isGoodName, !name.isEmpty else {
            return findErrors(behind: name, modifier)
        }
        return use(selector.reference(to: string(name)), at: name, modifier)
    }

    private mutating func parseSelector(
        _ range: Range<Int>
    ) -> (InterpolationSelector, rest: Range<Int>)? {
        let (word, rest) = splitAtColon(range)
        guard let rest else {
            report(
                "'%(\(quoted(range)))s' has no selector; for a property write "
                    + "%(prop:\(range.isEmpty ? "name" : quoted(range)))s",
                range
            )
            return nil
        }
        if let selector = InterpolationSelector(rawValue: string(word)) { return (selector, rest) }
        let known = InterpolationSelector.allCases.map(\.rawValue).joined(separator: ", ")
        let meant = InterpolationSelector.suggestion(for: string(word))
        let remedy = meant.map { "did you mean '\($0.rawValue)'?" } ?? "known are \(known)"
        report("unknown selector '\(quoted(word))'; \(remedy)", word)
        return nil
    }

    private mutating func parseSource(
        _ rest: Range<Int>, inside range: Range<Int>
    ) -> [InterpolationFormat.Part] {
        let (codebase, afterCodebase) = splitAtColon(rest)
        var isGood = check(codebase, of: "codebase")
        guard let afterCodebase else {
            report(
                "'%(\(quoted(range)))s' has no attribute; write %(src:codebase:branch)s, or "
                    + "%(src::branch)s for the default codebase",
                range
            )
            return []
        }
        let (attribute, modifier) = splitAtColon(afterCodebase)
        if attribute.isEmpty {
            report(
                "'%(\(quoted(range)))s' names no attribute; write for example "
                    + "%(src:\(quoted(codebase)):branch)s",
                range
            )
            isGood = false
        }
        guard check(attribute, of: "source attribute"), isGood else {
            return findErrors(behind: attribute, modifier)
        }
        let reference = InterpolationReference.source(
            codebase: string(codebase), attribute: string(attribute))
        return use(reference, at: codebase.lowerBound..<attribute.upperBound, modifier)
    }

    /// Looks for further errors after an invalid name, unless the name has broken up the
    /// expression.
    private mutating func findErrors(
        behind name: Range<Int>, _ modifier: Range<Int>?
    ) -> [InterpolationFormat.Part] {
        if let modifier = splitEncoding(modifier).rest, !string(name).contains("%(") {
            _ = parseModifier(modifier)
        }
        return []
    }

    private mutating func use(
        _ reference: InterpolationReference, at name: Range<Int>,
        _ modifier: Range<Int>?
    ) -> [InterpolationFormat.Part] {
        let (isURLEncoded, modifier) = splitEncoding(modifier)
        uses.append(
            InterpolationUse(reference: reference, range: name, hasModifier: modifier != nil))
        guard let modifier else {
            return [.expression(reference, nil, isURLEncoded: isURLEncoded)]
        }
        return parseModifier(modifier).map {
            [.expression(reference, $0, isURLEncoded: isURLEncoded)]
        } ?? []
    }

    /// Splits `urlencode` off the front of a modifier; the rest is a modifier as well.
    private func splitEncoding(_ range: Range<Int>?) -> (isURLEncoded: Bool, rest: Range<Int>?) {
        guard let range else { return (false, nil) }
        let (word, rest) = splitAtColon(range)
        return string(word) == "urlencode" ? (true, rest) : (false, range)
    }

    private mutating func parseModifier(_ range: Range<Int>) -> Modifier? {
        let rest = range.dropFirst()
        switch range.first.map({ bytes[$0] }) {
        case UInt8(ascii: "-"): return .valueIfPresent(otherwise: parse(rest))
        case UInt8(ascii: "~"): return .valueIfTrue(otherwise: parse(rest))
        case UInt8(ascii: "+"): return .replacement(parse(rest))
        case UInt8(ascii: "?"):
            return parseChoice(rest, modifier: range).map { .ifPresent($0, otherwise: $1) }
        case UInt8(ascii: "#") where rest.first.map({ bytes[$0] }) == UInt8(ascii: "?"):
            return parseChoice(rest.dropFirst(), modifier: range).map { .ifTrue($0, otherwise: $1) }
        case nil:
            report(
                "nothing follows the last ':'; write a default as in ':-text', or leave the ':' "
                    + "out",
                range.lowerBound - 1..<range.lowerBound
            )
        default:
            report(
                "':\(quoted(range))' is not a modifier; known are :-default, :~default, "
                    + ":+replacement, :?|then|else, :#?|then|else and :urlencode",
                range
            )
        }
        return nil
    }

    /// Parses the two alternatives of a choice, separated by their leading character.
    private mutating func parseChoice(
        _ range: Range<Int>,
        modifier: Range<Int>
    ) -> ([InterpolationFormat.Part], [InterpolationFormat.Part])? {
        guard let delimiter = string(range).unicodeScalars.first else {
            report(
                "':\(quoted(modifier))' lacks its alternatives; write ':\(quoted(modifier))|then"
                    + "|else'",
                modifier
            )
            return nil
        }
        guard delimiter != "(" else {
            report("'(' cannot divide alternatives; use another character, such as '|'", modifier)
            return nil
        }
        let mark = Array(String(delimiter).utf8)
        let alternatives = range.dropFirst(mark.count)
        guard let middle = firstIndex(of: mark, outsideParentheses: alternatives) else {
            report(
                "':\(quoted(modifier))' has no second '\(delimiter)' to divide its alternatives; "
                    + "write for example ':?\(delimiter)then\(delimiter)else'",
                modifier
            )
            return nil
        }
        let then = parse(alternatives.lowerBound..<middle)
        return (then, parse(middle + mark.count..<alternatives.upperBound))
    }

    private func firstIndex(of mark: [UInt8], outsideParentheses range: Range<Int>) -> Int? {
        var open = 0
        for index in range {
            if open == 0, bytes[index..<range.upperBound].starts(with: mark) { return index }
            if bytes[index] == UInt8(ascii: "(") { open += 1 }
            if bytes[index] == UInt8(ascii: ")") { open -= 1 }
        }
        return nil
    }

    private mutating func reportSecretModifier(_ modifier: Range<Int>, _ name: Range<Int>) {
        report(
            "a secret has no default and no alternatives: without its value the build must not "
                + "run; write %(secret:\(quoted(name)))s",
            modifier.lowerBound - 1..<modifier.upperBound
        )
    }

    private mutating func check(_ name: Range<Int>, of noun: String) -> Bool {
        let isGood = string(name).unicodeScalars.allSatisfy { scalar in
            scalar == "_" || scalar == "." || scalar == "-" || scalar.properties.isAlphabetic
                || scalar.properties.numericType != nil
                || [.nonspacingMark, .spacingMark].contains(scalar.properties.generalCategory)
        }
        guard !isGood else { return true }
        let remedy =
            string(name).contains("%(")
            ? "a name cannot be computed" : "names have letters, digits, '_', '.' and '-' only"
        report("'\(quoted(name))' is not a valid \(noun) name; \(remedy)", name)
        return false
    }

    private func splitAtColon(_ range: Range<Int>) -> (Range<Int>, Range<Int>?) {
        guard let colon = bytes[range].firstIndex(of: UInt8(ascii: ":")) else {
            return (range, nil)
        }
        return (range.lowerBound..<colon, colon + 1..<range.upperBound)
    }

    private func string(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }
}
