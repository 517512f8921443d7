internal import MasterJSON

/// Parses the pieces of a template into nodes, and collects errors.
struct TemplateParser {
    static let maximumDepth = 32
    /// The maximum number of errors kept.
    private static let maximumProblems = 100

    /// A parsed `{% … %}` tag.
    struct Tag {
        let name: String
        /// The tokens after the name, including the end token.
        let tokens: [TemplateToken]
        let range: Range<Int>
    }

    private let bytes: [UInt8]
    private let pieces: [TemplatePiece]
    private var index = 0
    /// The tags that can end the current blocks, outermost first.
    private var open: [[String]] = []
    private var loopDepth = 0
    /// Whether tags are nested too deeply, so that the rest is not parsed.
    private var isAbandoned = false
    var variables = TemplateVariables()
    private(set) var problems: [TemplateProblem]
    /// The number of errors that were not kept.
    private(set) var omittedCount: Int

    init(_ text: String) {
        bytes = Array(text.utf8)
        var lexer = TemplateLexer(bytes)
        pieces = lexer.divide()
        problems = Array(lexer.problems.prefix(Self.maximumProblems))
        omittedCount = lexer.problems.count - problems.count
    }

    /// Parses the whole template.
    mutating func parseTemplate() -> [TemplateNode] {
        parseNodes(until: []).nodes
    }

    private mutating func note(_ problem: TemplateProblem) {
        guard problems.count < Self.maximumProblems else { return omittedCount += 1 }
        problems.append(problem)
    }

    /// Runs a parsing function; for an error, records it and returns `nil`.
    private mutating func attempt<Value>(
        _ parse: (inout Self) throws(TemplateProblem) -> Value
    ) -> Value? {
        do throws(TemplateProblem) {
            return try parse(&self)
        } catch {
            note(error)
            return nil
        }
    }

    /// Parses nodes up to one of the tags that can end them, or to the end of the template.
    ///
    /// A tag that ends an enclosing block ends these as well, and is left for that block.
    private mutating func parseNodes(
        until endings: [String]
    ) -> (nodes: [TemplateNode], ending: Tag?) {
        var nodes: [TemplateNode] = []
        while index < pieces.count {
            let piece = pieces[index]
            index += 1
            switch piece.kind {
            case .text:
                nodes.append(.text(String(decoding: bytes[piece.content], as: UTF8.self)))
            case .output:
                if let output = parseOutput(piece) {
                    nodes.append(.output(output, range: piece.range))
                }
            case .tag:
                guard let tag = readTag(piece) else { continue }
                if endings.contains(tag.name) { return (nodes, tag) }
                if open.contains(where: { $0.contains(tag.name) }) {
                    index -= 1
                    return (nodes, nil)
                }
                if let node = parse(tag) { nodes.append(node) }
            }
        }
        return (nodes, nil)
    }

    /// Parses the body of a tag, up to one of the tags that can end it.
    private mutating func parseBody(
        of tag: Tag, until endings: [String]
    ) -> (nodes: [TemplateNode], ending: Tag?) {
        guard open.count < Self.maximumDepth else {
            note(
                TemplateProblem(
                    "tags nest deeper than \(Self.maximumDepth) levels; close them, or use fewer",
                    tag.range))
            index = pieces.count
            isAbandoned = true
            return ([], nil)
        }
        open.append(endings)
        let (nodes, ending) = parseNodes(until: endings)
        open.removeLast()
        if ending == nil, !isAbandoned {
            let end = endings.last ?? ""
            note(
                TemplateProblem(
                    "{% \(tag.name) %} is never closed; write {% \(end) %} where it ends",
                    tag.range))
        }
        return (nodes, ending)
    }

    /// Parses an expression with a separate parser, and records the variables it uses.
    private mutating func parseTokens<Value>(
        _ tokens: [TemplateToken], in range: Range<Int>,
        _ parse: (inout TemplateExpressionParser) throws(TemplateProblem) -> Value
    ) throws(TemplateProblem) -> Value {
        var parser = try TemplateExpressionParser(tokens, range: range)
        defer {
            for problem in parser.problems { note(problem) }
            note(parser.uses)
        }
        return try parse(&parser)
    }

    private mutating func note(_ uses: some Sequence<TemplateExpressionParser.Use>) {
        for use in uses {
            variables.use(use.path, at: use.range, hasDefault: use.hasDefault)
        }
    }

    private mutating func parseExpression(
        _ tokens: [TemplateToken], in range: Range<Int>
    ) -> TemplateExpression? {
        attempt { parser throws(TemplateProblem) in
            try parser.parseTokens(tokens, in: range) { expression throws(TemplateProblem) in
                try expression.parseWhole()
            }
        }
    }

    private mutating func tokens(of piece: TemplatePiece) -> [TemplateToken]? {
        var tokenizer = TemplateTokenizer(bytes, in: piece.content)
        return attempt { _ throws(TemplateProblem) in try tokenizer.tokenize() }
    }

    private mutating func parseOutput(_ piece: TemplatePiece) -> TemplateExpression? {
        guard let tokens = tokens(of: piece) else { return nil }
        guard tokens.count > 1 else {
            note(TemplateProblem("{{ }} is empty; write {{ name }}", piece.range))
            return nil
        }
        return parseExpression(tokens, in: piece.range)
    }

    /// Reads the name of a tag and the tokens after it; for an unreadable one only the name is
    /// kept, so that blocks still match up.
    private mutating func readTag(_ piece: TemplatePiece) -> Tag? {
        let content = bytes[piece.content]
        let name = content.drop { $0 == 0x20 || 0x09...0x0D ~= $0 }.prefix {
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0
        }
        guard !name.isEmpty else {
            note(TemplateProblem("{% %} has no tag; known are \(Self.knownTags)", piece.range))
            return nil
        }
        var rest = piece
        rest.content = name.endIndex..<piece.content.upperBound
        let place = piece.range.upperBound..<piece.range.upperBound
        return Tag(
            name: String(decoding: name, as: UTF8.self),
            tokens: tokens(of: rest) ?? [TemplateToken(kind: .end, range: place)],
            range: piece.range)
    }
}

extension TemplateParser {
    static let knownTags = "if, ifnot, for, set, filter, break, continue"

    /// Parses a tag that starts a block or stands alone.
    private mutating func parse(_ tag: Tag) -> TemplateNode? {
        switch tag.name {
        case "if", "ifnot": return parseCondition(tag)
        case "for": return parseLoop(tag)
        case "set": return parseAssignment(tag)
        case "filter":
            let calls = attempt { parser throws(TemplateProblem) in
                try parser.parseTokens(tag.tokens, in: tag.range) {
                    expression throws(TemplateProblem) in
                    try expression.parseFilters()
                }
            }
            let body = parseBody(of: tag, until: ["endfilter"]).nodes
            return .filter(calls ?? [], body: body)
        case "break", "continue":
            if loopDepth == 0 {
                note(TemplateProblem("{% \(tag.name) %} is only allowed in {% for %}", tag.range))
            }
            expectNothing(in: tag)
            return tag.name == "break" ? .breakLoop : .continueLoop
        default:
            note(TemplateProblem(Self.unknown(tag.name), tag.range))
            return nil
        }
    }

    /// What is wrong with an unknown or misplaced tag, and how to fix it.
    private static func unknown(_ name: String) -> String {
        switch name {
        case "elif", "else", "endif", "empty", "endfor", "endfilter":
            "{% \(name) %} has nothing to close here; a tag before it is missing or closed already"
        case "include", "extends", "block", "endblock", "import", "from":
            "{% \(name) %} is not available: a template reads no other files; write the text into "
                + "this one"
        case "macro", "endmacro", "call", "endcall":
            "{% \(name) %} is not available; write the text where it is used, or keep it with "
                + "{% set name = \"text\" %}"
        case "endset":
            "{% endset %} is not available; write {% set name = value %} in one tag"
        case "raw", "endraw", "verbatim", "endverbatim":
            "{% \(name) %} is not available; write {{ \"{{\" }} for two braces"
        case "with", "endwith", "do":
            "{% \(name) %} is not available; write {% set name = value %}"
        case "autoescape", "endautoescape":
            "{% \(name) %} is not available; 'template_type' decides what is escaped, and the "
                + "filter 'safe' leaves a value as it is"
        case "elseif", "elsif": "unknown tag '\(name)'; write {% elif condition %}"
        case "unless", "endunless": "unknown tag '\(name)'; write {% if not condition %}"
        case "switch", "match", "case", "when", "endswitch", "endmatch", "endcase":
            "unknown tag '\(name)'; write {% if %} with {% elif %}"
        case "while", "foreach", "loop", "endwhile", "endforeach", "endloop":
            "unknown tag '\(name)'; write {% for item in list %}, or {% for number in 0...9 %}"
        case "end": "unknown tag 'end'; write {% endif %}, {% endfor %} or {% endfilter %}"
        case "assign", "let", "var": "unknown tag '\(name)'; write {% set name = value %}"
        case "print", "echo", "debug": "unknown tag '\(name)'; write {{ value }}"
        case "comment", "endcomment": "unknown tag '\(name)'; write {# comment #}"
        case "trans", "endtrans", "pluralize", "blocktrans", "endblocktrans":
            "{% \(name) %} is not available: texts are not translated; write the text alone"
        case "now": "unknown tag 'now'; write {{ build.started_at | date }}"
        default: "unknown tag '\(name)'; known are \(knownTags)"
        }
    }

    private mutating func expectNothing(in tag: Tag) {
        guard tag.tokens.count > 1 else { return }
        let remedy = tag.tokens[0].kind == .name("if") ? "; write {% elif condition %}" : ""
        note(TemplateProblem("nothing may follow '\(tag.name)' in this tag\(remedy)", tag.range))
    }

    private mutating func parseCondition(_ tag: Tag) -> TemplateNode {
        var branches: [TemplateBranch] = []
        let endings = tag.name == "if" ? ["elif", "else", "endif"] : ["else", "endif"]
        var current = tag
        while true {
            let condition = parseExpression(current.tokens, in: current.range) ?? .literal(true)
            let (body, ending) = parseBody(of: tag, until: endings)
            branches.append(
                TemplateBranch(
                    condition: tag.name == "if" ? condition : .not(condition), body: body))
            guard let ending else { return .condition(branches) }
            current = ending
            guard ending.name == "elif" else { break }
        }
        expectNothing(in: current)
        if current.name == "else" {
            let (body, ending) = parseBody(of: tag, until: ["endif"])
            if let ending { expectNothing(in: ending) }
            branches.append(TemplateBranch(condition: nil, body: body))
        }
        return .condition(branches)
    }

    private mutating func parseAssignment(_ tag: Tag) -> TemplateNode? {
        guard tag.tokens.count > 2, case .name(let name) = tag.tokens[0].kind,
            tag.tokens[1].kind == .sign("="),
            !TemplateExpressionParser.keywords.contains(name)
        else {
            note(
                TemplateProblem(
                    "a variable is set with {% set name = value %}, in one tag", tag.range))
            if case .name(let name)? = tag.tokens.first?.kind { variables.bind([name]) }
            return nil
        }
        let value = parseExpression(Array(tag.tokens.dropFirst(2)), in: tag.range)
        variables.bind([name])
        return value.map { .set(name, $0, range: tag.range) }
    }

    private mutating func parseLoop(_ tag: Tag) -> TemplateNode? {
        let boundCount = variables.boundCount
        let head = parseLoopHead(tag)
        if head == nil { variables.unknownDepth += 1 }
        loopDepth += 1
        let (body, ending) = parseBody(of: tag, until: ["empty", "else", "endfor"])
        loopDepth -= 1
        if head == nil { variables.unknownDepth -= 1 }
        variables.unbind(to: boundCount)
        var empty: [TemplateNode] = []
        if let ending {
            expectNothing(in: ending)
            if ending.name != "endfor" { empty = parseBody(of: tag, until: ["endfor"]).nodes }
            variables.unbind(to: boundCount)
        }
        guard let head else { return nil }
        return .loop(
            TemplateLoop(
                names: head.names, source: head.source, condition: head.condition, body: body,
                empty: empty, range: tag.range))
    }

    private typealias LoopHead = (
        names: [String], source: TemplateExpression, condition: TemplateExpression?
    )

    /// Parses `name in list if condition`, and binds the names.
    private mutating func parseLoopHead(_ tag: Tag) -> LoopHead? {
        attempt { parser throws(TemplateProblem) in
            let names = try Self.loopNames(of: tag)
            let tokens = Array(tag.tokens.dropFirst(names.count * 2))
            var expression = try TemplateExpressionParser(tokens, range: tag.range)
            defer { for problem in expression.problems { parser.note(problem) } }
            let source = try expression.parseOr()
            let sourceUses = expression.uses.count
            parser.note(expression.uses)
            parser.variables.bind(names + TemplateLoop.stateNames)
            var condition: TemplateExpression?
            if expression.take(name: "if") || expression.take(name: "where") {
                condition = try expression.parse()
            }
            parser.note(expression.uses.dropFirst(sourceUses))
            try expression.expectEnd()
            return (names, source, condition)
        }
    }

    /// The names between `for` and `in`.
    private static func loopNames(of tag: Tag) throws(TemplateProblem) -> [String] {
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
