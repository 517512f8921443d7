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
                "{% \(tag.name) %} is never closed; write {% \(end) %} where it ends",
                tag.range
            )
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
            throw TemplateProblem(
                "{% %} holds no tag; known are \(Self.knownTags)",
                piece.range
            )
        }
        return Tag(name: name, tokens: Array(tokens.dropFirst()), range: piece.range)
    }
}
