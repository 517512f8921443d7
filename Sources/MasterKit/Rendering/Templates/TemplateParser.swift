/// Parses the pieces of a template into nodes.
struct TemplateParser {
    static let maximumDepth = 32

    /// A `{% … %}` taken apart.
    struct Tag {
        let name: String
        /// What follows the name, with the end.
        let tokens: [TemplateToken]
        let range: Range<Int>
    }

    private let bytes: [UInt8]
    private let pieces: [TemplatePiece]
    private var index = 0
    private var depth = 0
    var loopDepth = 0
    var variables = TemplateVariables()

    init(_ text: String) throws(TemplateProblem) {
        bytes = Array(text.utf8)
        var lexer = TemplateLexer(bytes)
        pieces = try lexer.divide()
    }

    /// Parses the whole template.
    mutating func parseTemplate() throws(TemplateProblem) -> [TemplateNode] {
        try parseNodes(until: []).nodes
    }

    /// Parses nodes up to one of the tags that may end them, or to the end of the template.
    mutating func parseNodes(
        until endings: [String]
    ) throws(TemplateProblem) -> (nodes: [TemplateNode], ending: Tag?) {
        var nodes: [TemplateNode] = []
        while index < pieces.count {
            let piece = pieces[index]
            index += 1
            switch piece.kind {
            case .text:
                nodes.append(.text(String(decoding: bytes[piece.content], as: UTF8.self)))
            case .output:
                nodes.append(.output(try parseOutput(piece), range: piece.range))
            case .tag:
                let tag = try readTag(piece)
                if endings.contains(tag.name) { return (nodes, tag) }
                nodes.append(try parse(tag))
            }
        }
        return (nodes, nil)
    }

    /// Parses what a tag encloses, up to one of the tags that may end it.
    mutating func parseBody(
        of tag: Tag,
        until endings: [String]
    ) throws(TemplateProblem) -> (nodes: [TemplateNode], ending: Tag) {
        guard depth < Self.maximumDepth else {
            throw TemplateProblem("tags nest deeper than \(Self.maximumDepth) levels", tag.range)
        }
        depth += 1
        defer { depth -= 1 }
        let (nodes, ending) = try parseNodes(until: endings)
        guard let ending else {
            let end = endings.last ?? ""
            throw TemplateProblem(
                "{% \(tag.name) %} is never closed; write {% \(end) %} where it ends", tag.range)
        }
        return (nodes, ending)
    }

    /// Parses an expression, and notes the variables it uses.
    mutating func parseExpression(
        _ tokens: [TemplateToken],
        in range: Range<Int>
    ) throws(TemplateProblem) -> TemplateExpression {
        var parser = try TemplateExpressionParser(tokens, range: range)
        let expression = try parser.parseWhole()
        note(parser.uses)
        return expression
    }

    /// Parses the filters of `{% filter … %}`.
    mutating func parseFilters(_ tag: Tag) throws(TemplateProblem) -> [TemplateFilterCall] {
        var parser = try TemplateExpressionParser(tag.tokens, range: tag.range)
        let calls = try parser.parseFilters()
        note(parser.uses)
        return calls
    }

    private mutating func note(_ uses: [TemplateExpressionParser.Use]) {
        for use in uses {
            variables.use(use.path, at: use.range, hasDefault: use.hasDefault)
        }
    }

    private mutating func parseOutput(
        _ piece: TemplatePiece
    ) throws(TemplateProblem) -> TemplateExpression {
        var tokenizer = TemplateTokenizer(bytes, in: piece.content)
        let tokens = try tokenizer.tokenize()
        guard tokens.count > 1 else {
            throw TemplateProblem("{{ }} holds nothing; write {{ name }}", piece.range)
        }
        return try parseExpression(tokens, in: piece.range)
    }

    private func readTag(_ piece: TemplatePiece) throws(TemplateProblem) -> Tag {
        var tokenizer = TemplateTokenizer(bytes, in: piece.content)
        let tokens = try tokenizer.tokenize()
        guard let first = tokens.first, case .name(let name) = first.kind else {
            throw TemplateProblem("{% %} holds no tag; known are \(Self.knownTags)", piece.range)
        }
        return Tag(name: name, tokens: Array(tokens.dropFirst()), range: piece.range)
    }
}

extension TemplateParser {
    static let knownTags = "if, ifnot, for, filter, break, continue"

    /// Parses the tag that begins something.
    mutating func parse(_ tag: Tag) throws(TemplateProblem) -> TemplateNode {
        switch tag.name {
        case "if": return try parseCondition(tag)
        case "ifnot": return try parseNegatedCondition(tag)
        case "for": return try parseLoop(tag)
        case "filter":
            let calls = try parseFilters(tag)
            return .filter(calls, body: try parseBody(of: tag, until: ["endfilter"]).nodes)
        case "break", "continue":
            guard loopDepth > 0 else {
                throw TemplateProblem("{% \(tag.name) %} belongs into a {% for %}", tag.range)
            }
            try expectNothing(in: tag)
            return tag.name == "break" ? .breakLoop : .continueLoop
        case "elif", "else", "endif", "empty", "endfor", "endfilter":
            throw TemplateProblem(
                "{% \(tag.name) %} has nothing to belong to here; a tag before it is missing or "
                    + "closed already",
                tag.range
            )
        case "include", "extends", "block", "import", "from", "macro", "call":
            throw TemplateProblem(
                "{% \(tag.name) %} is not available: a template reads no other files; write the "
                    + "text into this one",
                tag.range
            )
        default:
            throw TemplateProblem(
                "unknown tag '\(tag.name)'; known are \(Self.knownTags)", tag.range)
        }
    }

    private func expectNothing(in tag: Tag) throws(TemplateProblem) {
        guard tag.tokens.count <= 1 else {
            throw TemplateProblem("nothing may follow '\(tag.name)' in this tag", tag.range)
        }
    }

    private mutating func parseCondition(_ tag: Tag) throws(TemplateProblem) -> TemplateNode {
        var branches: [TemplateBranch] = []
        var current = tag
        while true {
            let condition = try parseExpression(current.tokens, in: current.range)
            let (body, ending) = try parseBody(of: tag, until: ["elif", "else", "endif"])
            branches.append(TemplateBranch(condition: condition, body: body))
            current = ending
            guard ending.name == "elif" else { break }
        }
        try expectNothing(in: current)
        if current.name == "else" {
            let (body, ending) = try parseBody(of: tag, until: ["endif"])
            try expectNothing(in: ending)
            branches.append(TemplateBranch(condition: nil, body: body))
        }
        return .condition(branches)
    }

    private mutating func parseNegatedCondition(
        _ tag: Tag
    ) throws(TemplateProblem) -> TemplateNode {
        let condition = try parseExpression(tag.tokens, in: tag.range)
        let (body, ending) = try parseBody(of: tag, until: ["else", "endif"])
        var branches = [TemplateBranch(condition: .not(condition), body: body)]
        if ending.name == "else" {
            let otherwise = try parseBody(of: tag, until: ["endif"]).nodes
            branches.append(TemplateBranch(condition: nil, body: otherwise))
        }
        return .condition(branches)
    }

    private mutating func parseLoop(_ tag: Tag) throws(TemplateProblem) -> TemplateNode {
        let names = try loopNames(of: tag)
        let rest = tag.tokens.dropFirst(names.count * 2)
        let whereIndex = rest.firstIndex { $0.kind == .name("where") }
        let end = TemplateToken(kind: .end, range: tag.range.upperBound..<tag.range.upperBound)
        let source = try parseExpression(
            Array(rest[..<(whereIndex ?? rest.endIndex)]) + [end], in: tag.range)
        variables.bind(names + TemplateLoop.stateNames)
        loopDepth += 1
        let condition = try whereIndex.map { place throws(TemplateProblem) in
            try parseExpression(Array(rest[(place + 1)...]), in: tag.range)
        }
        let (body, ending) = try parseBody(of: tag, until: ["empty", "else", "endfor"])
        loopDepth -= 1
        variables.unbind(names + TemplateLoop.stateNames)
        try expectNothing(in: ending)
        let empty =
            ending.name == "endfor" ? [] : try parseBody(of: tag, until: ["endfor"]).nodes
        return .loop(
            TemplateLoop(
                names: names, source: source, condition: condition, body: body, empty: empty,
                range: tag.range)
        )
    }

    /// The names between `for` and `in`.
    private func loopNames(of tag: Tag) throws(TemplateProblem) -> [String] {
        var names: [String] = []
        var tokens = tag.tokens[...]
        while case .name(let name)? = tokens.popFirst()?.kind {
            names.append(name)
            switch tokens.popFirst()?.kind {
            case .name("in"): return names
            case .sign(","): continue
            default: break
            }
            break
        }
        throw TemplateProblem(
            "a loop is written {% for item in list %}, or {% for key, value in mapping %}",
            tag.range)
    }
}
