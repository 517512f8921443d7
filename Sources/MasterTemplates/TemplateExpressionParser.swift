internal import MasterJSON

/// Parses an expression from tokens.
struct TemplateExpressionParser {
    /// The maximum number of tokens in an expression.
    private static let maximumTokens = 400
    private static let maximumDepth = 32
    /// The reserved words, which can't be variables.
    static let keywords: Set<String> = ["and", "or", "not", "in", "is", "if", "else"]

    /// A use of a variable in an expression.
    struct Use {
        let path: [String]
        let range: Range<Int>
        var hasDefault = false
    }

    let tokens: [TemplateToken]
    var index = 0
    private var depth = 0
    var uses: [Use] = []
    /// Errors that do not prevent parsing the rest.
    var problems: [TemplateProblem] = []

    /// Creates a parser for tokens, the last of which is the end token.
    init(_ tokens: [TemplateToken], range: Range<Int>) throws(TemplateProblem) {
        guard tokens.count <= Self.maximumTokens else {
            throw TemplateProblem(
                "the expression has \(tokens.count) words and signs, and \(Self.maximumTokens) "
                    + "are allowed; keep parts of it with {% set name = value %}",
                range
            )
        }
        self.tokens = tokens
    }

    /// The current token; the end token after the last one.
    var current: TemplateToken {
        tokens.indices.contains(index) ? tokens[index] : TemplateToken(kind: .end, range: 0..<0)
    }

    /// The range from a token to the one read last.
    func range(from start: TemplateToken) -> Range<Int> {
        let end = tokens[max(index - 1, 0)].range.upperBound
        return start.range.lowerBound..<max(end, start.range.upperBound)
    }

    /// Parses all tokens as one expression.
    mutating func parseWhole() throws(TemplateProblem) -> TemplateExpression {
        let expression = try parse()
        try expectEnd()
        return expression
    }

    /// Throws if there are tokens left.
    func expectEnd() throws(TemplateProblem) {
        guard current.kind == .end else {
            let last = index > 0 ? tokens[index - 1] : nil
            throw unexpected(
                "the end of the expression",
                remedy: TemplateHints.remedy(forFollowing: current.kind, after: last))
        }
    }

    /// Parses an expression as far as it goes.
    mutating func parse() throws(TemplateProblem) -> TemplateExpression {
        try descend()
        defer { depth -= 1 }
        let value = try parseOr()
        guard take(name: "if") else { return value }
        let condition = try parseOr()
        let otherwise = take(name: "else") ? try parse() : nil
        return .choice(value, if: condition, else: otherwise)
    }

    /// Parses filters and their arguments, separated by `|`.
    mutating func parseFilters() throws(TemplateProblem) -> [TemplateFilterCall] {
        var calls = [try parseFilter()]
        while take("|") { calls.append(try parseFilter()) }
        guard current.kind == .end else { throw unexpected("'|' or the end") }
        return calls.compactMap(\.self)
    }

    private mutating func descend() throws(TemplateProblem) {
        guard depth < Self.maximumDepth else {
            throw TemplateProblem(
                "the expression nests deeper than \(Self.maximumDepth) levels; keep a part of it "
                    + "with {% set name = value %}", current.range)
        }
        depth += 1
    }

    /// Parses an expression without a conditional `if`.
    mutating func parseOr() throws(TemplateProblem) -> TemplateExpression {
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
        let useCount = uses.count
        let left = try parseRange()
        if take(name: "is") {
            let test = try parseTest()
            if uses.indices.contains(useCount) { uses[useCount].hasDefault = true }
            return .test(left, test)
        }
        guard let comparison = try takeComparison() else { return left }
        return .comparison(left, comparison, try parseRange())
    }

    private mutating func parseTest() throws(TemplateProblem) -> TemplateTest {
        let isNegated = take(name: "not")
        let known = TemplateTest.Kind.allCases.map(\.rawValue)
        guard case .name(let name) = current.kind else {
            throw unexpected("the name of a test: \(known.joined(separator: ", "))")
        }
        guard let kind = TemplateTest.Kind(rawValue: name == "None" ? "none" : name) else {
            throw TemplateProblem(TemplateHints.unknownTest(name), current.range)
        }
        index += 1
        return TemplateTest(kind: kind, isNegated: isNegated)
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
        let start = current
        let left = try parseSum()
        guard take("...") else { return left }
        let right = try parseSum()
        return .numbers(left, right, range: range(from: start))
    }

    private mutating func parseSum() throws(TemplateProblem) -> TemplateExpression {
        var first = try parseConcatenation()
        try parseOperands(of: &first, [.plus, .minus]) { parser throws(TemplateProblem) in
            try parser.parseConcatenation()
        }
        return first
    }

    private mutating func parseConcatenation() throws(TemplateProblem) -> TemplateExpression {
        var first = try parseProduct()
        try parseOperands(of: &first, [.concatenate]) { parser throws(TemplateProblem) in
            try parser.parseProduct()
        }
        return first
    }

    private mutating func parseProduct() throws(TemplateProblem) -> TemplateExpression {
        var first = try parseNegation()
        try parseOperands(
            of: &first, [.times, .divide, .divideWhole, .remainder]
        ) { parser throws(TemplateProblem) in
            try parser.parseNegation()
        }
        return first
    }

    private mutating func parseNegation() throws(TemplateProblem) -> TemplateExpression {
        let start = current
        guard take("-") else { return try parseFiltered() }
        let operand = TemplateOperand(
            sign: .minus, value: try parseFiltered(), range: range(from: start))
        return .arithmetic(.literal(0), [operand])
    }

    /// Parses any of the given operators, each with its right operand.
    private mutating func parseOperands(
        of first: inout TemplateExpression, _ signs: [TemplateOperator],
        _ parseOperand: (inout Self) throws(TemplateProblem) -> TemplateExpression
    ) throws(TemplateProblem) {
        let start = tokens[max(index - 1, 0)]
        var operands: [TemplateOperand] = []
        while let sign = signs.first(where: { current.kind == .sign($0.rawValue) }) {
            index += 1
            let value = try parseOperand(&self)
            operands.append(TemplateOperand(sign: sign, value: value, range: range(from: start)))
        }
        if !operands.isEmpty { first = .arithmetic(first, operands) }
    }

    private mutating func parseFiltered() throws(TemplateProblem) -> TemplateExpression {
        let useCount = uses.count
        let value = try parseAccess()
        var calls: [TemplateFilterCall] = []
        while take("|") {
            guard let call = try parseFilter() else { continue }
            if calls.isEmpty, call.filter == .default, uses.indices.contains(useCount) {
                uses[useCount].hasDefault = true
            }
            calls.append(call)
        }
        return calls.isEmpty ? value : .filtered(value, calls)
    }

    /// Consumes an operator or punctuation token if it is the current one.
    mutating func take(_ sign: String) -> Bool {
        guard current.kind == .sign(sign) else { return false }
        index += 1
        return true
    }

    /// Consumes a name if it is the current token.
    mutating func take(name: String) -> Bool {
        guard current.kind == .name(name) else { return false }
        index += 1
        return true
    }

    func unexpected(_ expected: String, remedy: String? = nil) -> TemplateProblem {
        let found =
            switch current.kind {
            case .name(let name): "'\(name)'"
            case .number(let number): "'\(number)'"
            case .text: "a text"
            case .sign(let sign): "'\(sign)'"
            case .end: "nothing"
            }
        let end = remedy.map { "; \($0)" } ?? ""
        return TemplateProblem("expected \(expected), found \(found)\(end)", current.range)
    }
}
