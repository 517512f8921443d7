internal import MasterJSON

extension TemplateExpressionParser {
    /// Parses a filter with its arguments; for an invalid one, records the error and returns `nil`.
    mutating func parseFilter() throws(TemplateProblem) -> TemplateFilterCall? {
        let start = current
        guard case .name(let name) = start.kind else { throw unexpected("the name of a filter") }
        index += 1
        var arguments: [TemplateArgument] = []
        if take(":") {
            repeat {
                arguments.append(TemplateArgument(name: nil, value: try parseAccess()))
            } while take(",")
        } else if take("(") {
            arguments = try parseArguments()
        }
        let range = range(from: start)
        guard let filter = TemplateFilter(named: name) else {
            problems.append(TemplateProblem(TemplateFilter.unknown(name), start.range))
            return nil
        }
        guard let values = filter.positioned(arguments) else {
            problems.append(
                TemplateProblem(
                    "the filter '\(name)' does not take these arguments; write \(filter.usage)",
                    range))
            return nil
        }
        return TemplateFilterCall(filter: filter, arguments: values, range: range)
    }

    /// Parses the arguments of a call after its `(`, some of which may be named.
    private mutating func parseArguments() throws(TemplateProblem) -> [TemplateArgument] {
        var arguments: [TemplateArgument] = []
        while !take(")") {
            var name: String?
            if case .name(let found) = current.kind, tokens.indices.contains(index + 1),
                tokens[index + 1].kind == .sign("=")
            {
                name = found
                index += 2
            }
            arguments.append(TemplateArgument(name: name, value: try parse()))
            if take(")") { return arguments }
            guard take(",") else { throw unexpected("',' or ')'") }
        }
        return arguments
    }

    /// Parses comma-separated expressions, and the token that ends them.
    private mutating func parseList(
        until end: String
    ) throws(TemplateProblem) -> [TemplateExpression] {
        var elements: [TemplateExpression] = []
        while !take(end) {
            elements.append(try parse())
            if take(end) { return elements }
            guard take(",") else {
                let isComputed = current.kind == .name("for")
                let remedy = "a list can't be computed; write {% for item in list %}"
                throw unexpected("',' or '\(end)'", remedy: isComputed ? remedy : nil)
            }
        }
        return elements
    }

    /// Parses a value with any suffixes: `.name`, `[key]`, `[from:to]`, `.method(…)`.
    mutating func parseAccess() throws(TemplateProblem) -> TemplateExpression {
        let start = current
        let use = uses.count
        let base = try parseValue()
        var path: [String]? = uses.count > use ? uses[use].path : nil
        if case .variable = base {} else { path = nil }
        var steps: [TemplateAccess] = []
        while let step = try parseStep() {
            steps.append(step)
            guard let known = path else { continue }
            switch step {
            case .member(.literal(let key)):
                path = key.text.map { known + [$0] }
            case .method(.get, let arguments, _):
                guard case .literal(let key)? = arguments.first, let text = key.text else {
                    path = nil
                    continue
                }
                uses[use] = Use(path: known + [text], range: range(from: start), hasDefault: true)
                path = nil
                continue
            default: path = nil
            }
            if let path { uses[use] = Use(path: path, range: range(from: start)) }
        }
        return steps.isEmpty ? base : .access(base, steps)
    }

    private mutating func parseStep() throws(TemplateProblem) -> TemplateAccess? {
        let start = current
        if take("[") { return try parseSubscript(from: start) }
        guard take(".") else { return nil }
        let token = current
        index += 1
        switch token.kind {
        case .name(let name):
            guard take("(") else { return .member(.literal(.string(name))) }
            return try parseMethod(name, at: token)
        case .number(let number): return .member(.literal(.number(number)))
        default:
            index -= 1
            let isRange = token.kind == .sign(".")
            throw unexpected(
                "a name after '.'", remedy: isRange ? "write a range as 0...9" : nil)
        }
    }

    private mutating func parseSubscript(
        from start: TemplateToken
    ) throws(TemplateProblem) -> TemplateAccess {
        let from: TemplateExpression? = current.kind == .sign(":") ? nil : try parse()
        guard take(":") else {
            guard take("]"), let from else { throw unexpected("']'") }
            return .member(from)
        }
        let isStep = current.kind == .sign(":")
        let to: TemplateExpression? = isStep || current.kind == .sign("]") ? nil : try parse()
        guard take("]") else {
            let remedy = "a slice has no step; the filter 'reverse' reverses a list"
            throw unexpected("']'", remedy: current.kind == .sign(":") ? remedy : nil)
        }
        return .slice(from: from, to: to, range: range(from: start))
    }

    private mutating func parseMethod(
        _ name: String, at start: TemplateToken
    ) throws(TemplateProblem) -> TemplateAccess {
        let arguments = try parseArguments()
        let range = range(from: start)
        guard let method = TemplateMethod(rawValue: name) else {
            throw TemplateProblem(TemplateMethod.unknown(name), range)
        }
        guard arguments.allSatisfy({ $0.name == nil }),
            method.argumentCount.contains(arguments.count)
        else {
            throw TemplateProblem(
                "'.\(name)()' does not take these arguments; write \(method.usage)", range)
        }
        return .method(method, arguments.map(\.value), range: range)
    }

    private mutating func parseValue() throws(TemplateProblem) -> TemplateExpression {
        let token = current
        index += 1
        switch token.kind {
        case .number(let number): return .literal(.number(number))
        case .text(let text): return .literal(.string(text))
        case .name(let name): return try parseName(name, at: token)
        case .sign("("):
            let inner = try parse()
            if take(")") { return inner }
            guard take(",") else { throw unexpected("')'") }
            return .list(try [inner] + parseList(until: ")"))
        case .sign("["):
            return .list(try parseList(until: "]"))
        default:
            index -= 1
            throw unexpected(
                "a value", remedy: TemplateHints.remedy(forMissingValueAt: token.kind))
        }
    }

    private mutating func parseName(
        _ name: String, at token: TemplateToken
    ) throws(TemplateProblem) -> TemplateExpression {
        switch name {
        case "true", "True": return .literal(true)
        case "false", "False": return .literal(false)
        case "null", "none", "None", "nil": return .literal(nil)
        case _ where Self.keywords.contains(name):
            throw TemplateProblem("expected a value, found '\(name)'", token.range)
        case _ where current.kind == .sign("("):
            let filter = TemplateHints.filter(for: name)
            let remedy =
                name == "range"
                ? "write the numbers as 0...9"
                : filter.map { "use the filter, as in {{ value | \($0.rawValue) }}" }
                    ?? "it has filters, as in {{ value | upper }}"
            throw TemplateProblem(
                "a template has no functions such as \(name)(); \(remedy)", token.range)
        default:
            uses.append(Use(path: [name], range: token.range))
            return .variable(name)
        }
    }
}

/// An argument of a filter or method.
struct TemplateArgument {
    let name: String?
    let value: TemplateExpression
}
