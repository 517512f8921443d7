/// Parses the expression that tokens spell.
struct TemplateExpressionParser {
    /// How many tokens an expression may have.
    private static let maximumTokens = 400
    private static let maximumDepth = 32
    private static let comparisons = ["==", "!=", "<", "<=", ">", ">="]

    /// A variable that an expression mentions.
    struct Use {
        let path: [String]
        let range: Range<Int>
        var hasDefault = false
    }

    private let tokens: [TemplateToken]
    private var index = 0
    private var depth = 0
    private(set) var uses: [Use] = []

    /// Makes a parser of tokens, the last of which is the end.
    init(_ tokens: [TemplateToken], range: Range<Int>) throws(TemplateProblem) {
        guard tokens.count <= Self.maximumTokens else {
            throw TemplateProblem(
                "the expression has \(tokens.count) words and signs; "
                    + "\(Self.maximumTokens) are allowed",
                range
            )
        }
        self.tokens = tokens
    }

    /// The present token; behind the last one it stays the end.
    private var current: TemplateToken {
        tokens.indices.contains(index) ? tokens[index] : TemplateToken(kind: .end, range: 0..<0)
    }

    /// Parses all tokens as one expression.
    mutating func parseWhole() throws(TemplateProblem) -> TemplateExpression {
        let expression = try parse()
        guard current.kind == .end else { throw unexpected("the end of the expression") }
        return expression
    }

    /// Parses an expression up to where it ends.
    mutating func parse() throws(TemplateProblem) -> TemplateExpression {
        try descend()
        defer { depth -= 1 }
        let value = try parseOr()
        guard take(name: "if") else { return value }
        let condition = try parseOr()
        let otherwise = take(name: "else") ? try parse() : nil
        return .choice(value, if: condition, else: otherwise)
    }

    /// Parses filters and their arguments, divided by `|`.
    mutating func parseFilters() throws(TemplateProblem) -> [TemplateFilterCall] {
        var calls = [try parseFilter()]
        while take("|") { calls.append(try parseFilter()) }
        guard current.kind == .end else { throw unexpected("'|' or the end") }
        return calls
    }

    private mutating func descend() throws(TemplateProblem) {
        guard depth < Self.maximumDepth else {
            throw TemplateProblem(
                "the expression nests deeper than \(Self.maximumDepth) levels", current.range)
        }
        depth += 1
    }

    private mutating func parseOr() throws(TemplateProblem) -> TemplateExpression {
        var parts = [try parseAnd()]
        while take(name: "or") { parts.append(try parseAnd()) }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func parseAnd() throws(TemplateProblem) -> TemplateExpression {
        var parts = [try parseNot()]
        while take(name: "and") { parts.append(try parseNot()) }
        return parts.count == 1 ? parts[0] : .and(parts)
    }

    private mutating func parseNot() throws(TemplateProblem) -> TemplateExpression {
        guard take(name: "not") else { return try parseComparison() }
        try descend()
        defer { depth -= 1 }
        return .not(try parseNot())
    }

    private mutating func parseComparison() throws(TemplateProblem) -> TemplateExpression {
        let left = try parseRange()
        guard let comparison = try takeComparison() else { return left }
        return .comparison(left, comparison, try parseRange())
    }

    private mutating func takeComparison() throws(TemplateProblem) -> TemplateComparison? {
        if take(name: "in") { return .isIn }
        if take(name: "not") {
            guard take(name: "in") else { throw unexpected("'in'") }
            return .isNotIn
        }
        guard case .sign(let sign) = current.kind,
            let comparison = TemplateComparison(rawValue: sign)
        else { return nil }
        index += 1
        return comparison
    }

    private mutating func parseRange() throws(TemplateProblem) -> TemplateExpression {
        let start = current.range
        let left = try parseFiltered()
        guard take("...") else { return left }
        let right = try parseFiltered()
        let end = tokens[index - 1].range
        return .numbers(left, right, range: start.lowerBound..<end.upperBound)
    }

    private mutating func parseFiltered() throws(TemplateProblem) -> TemplateExpression {
        let useCount = uses.count
        let value = try parseValue()
        var calls: [TemplateFilterCall] = []
        while take("|") {
            let call = try parseFilter()
            if calls.isEmpty, call.filter == .default, uses.indices.contains(useCount) {
                uses[useCount].hasDefault = true
            }
            calls.append(call)
        }
        return calls.isEmpty ? value : .filtered(value, calls)
    }

    private mutating func parseFilter() throws(TemplateProblem) -> TemplateFilterCall {
        let start = current.range
        guard case .name(let name) = current.kind else { throw unexpected("the name of a filter") }
        guard let filter = TemplateFilter(named: name) else {
            let known = TemplateFilter.allCases.map(\.rawValue).joined(separator: ", ")
            throw TemplateProblem("unknown filter '\(name)'; known are \(known)", start)
        }
        index += 1
        var arguments: [TemplateExpression] = []
        if take(":") {
            repeat { arguments.append(try parseValue()) } while take(",")
        } else if take("(") {
            arguments = try parseList(until: ")")
        }
        let range = start.lowerBound..<tokens[index - 1].range.upperBound
        guard filter.argumentCount.contains(arguments.count) else {
            throw TemplateProblem(
                "the filter '\(name)' cannot take \(arguments.count) arguments; "
                    + "write \(filter.usage)",
                range
            )
        }
        return TemplateFilterCall(filter: filter, arguments: arguments, range: range)
    }

    /// Parses expressions divided by commas, and the sign that ends them.
    private mutating func parseList(
        until end: String
    ) throws(TemplateProblem) -> [TemplateExpression] {
        var elements: [TemplateExpression] = []
        while !take(end) {
            elements.append(try parse())
            if take(end) { return elements }
            guard take(",") else { throw unexpected("',' or '\(end)'") }
        }
        return elements
    }

    private mutating func parseValue() throws(TemplateProblem) -> TemplateExpression {
        let token = current
        index += 1
        switch token.kind {
        case .number(let number): return .literal(.number(number))
        case .text(let text): return .literal(.string(text))
        case .name(let name): return try parseName(name, at: token.range)
        case .sign("("):
            let inner = try parse()
            guard take(")") else { throw unexpected("')'") }
            return inner
        case .sign("["):
            return .list(try parseList(until: "]"))
        default:
            index -= 1
            throw unexpected("a value")
        }
    }

    private mutating func parseName(
        _ name: String, at range: Range<Int>
    ) throws(TemplateProblem) -> TemplateExpression {
        switch name {
        case "true", "True": return .literal(true)
        case "false", "False": return .literal(false)
        case "null", "none", "None", "nil": return .literal(nil)
        case "and", "or", "not", "in", "if", "else":
            throw TemplateProblem("expected a value, found '\(name)'", range)
        default: return try parsePath(from: name, at: range)
        }
    }

    private mutating func parsePath(
        from name: String, at range: Range<Int>
    ) throws(TemplateProblem) -> TemplateExpression {
        let use = uses.count
        uses.append(Use(path: [name], range: range))
        var members: [TemplateExpression] = []
        var path = [name]
        var isKnown = true
        while let member = try parseMember() {
            members.append(member)
            guard isKnown, case .literal(let key) = member, let text = key.text else {
                isKnown = false
                continue
            }
            path.append(text)
            let end = tokens[index - 1].range.upperBound
            uses[use] = Use(path: path, range: range.lowerBound..<end)
        }
        return members.isEmpty ? .variable(name) : .member(.variable(name), path: members)
    }

    private mutating func parseMember() throws(TemplateProblem) -> TemplateExpression? {
        if take("[") {
            let key = try parse()
            guard take("]") else { throw unexpected("']'") }
            return key
        }
        guard take(".") else { return nil }
        let token = current
        index += 1
        switch token.kind {
        case .name(let name): return .literal(.string(name))
        case .number(let number): return .literal(.number(number))
        default:
            index -= 1
            throw unexpected("a name after '.'")
        }
    }

    /// Moves over a sign if it is the present token.
    mutating func take(_ sign: String) -> Bool {
        guard current.kind == .sign(sign) else { return false }
        index += 1
        return true
    }

    private mutating func take(name: String) -> Bool {
        guard current.kind == .name(name) else { return false }
        index += 1
        return true
    }

    private func unexpected(_ expected: String) -> TemplateProblem {
        let found =
            switch current.kind {
            case .name(let name): "'\(name)'"
            case .number(let number): "'\(number)'"
            case .text: "a text"
            case .sign(let sign): "'\(sign)'"
            case .end: "nothing"
            }
        return TemplateProblem("expected \(expected), found \(found)", current.range)
    }
}
