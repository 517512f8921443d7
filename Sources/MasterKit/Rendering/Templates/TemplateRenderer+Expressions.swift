extension TemplateRenderer {
    private static let maximumNumbers = 100_000

    /// Evaluates an expression; an error that has no place of its own gets the one given.
    mutating func evaluate(
        _ expression: TemplateExpression,
        at range: Range<Int>
    ) throws(TemplateProblem) -> TemplateValue {
        try charge(0, at: range)
        switch expression {
        case .literal(let value): return TemplateValue(value)
        case .variable(let name): return TemplateValue(lookup(name))
        case .list(let elements):
            return TemplateValue(.array(try evaluateAll(elements, at: range)))
        case .member(let whole, let key):
            let key = try evaluate(key, at: range).json
            return TemplateValue(try evaluate(whole, at: range).member(key))
        case .filtered(let inner, let call):
            return try apply(call, to: evaluate(inner, at: range))
        case .not(let inner):
            return TemplateValue(.bool(try !evaluate(inner, at: range).isTruthy))
        case .and(let left, let right):
            let value = try evaluate(left, at: range)
            return value.isTruthy ? try evaluate(right, at: range) : value
        case .or(let left, let right):
            let value = try evaluate(left, at: range)
            return value.isTruthy ? value : try evaluate(right, at: range)
        case .comparison(let left, let comparison, let right):
            let left = try evaluate(left, at: range).json ?? .null
            let right = try evaluate(right, at: range).json ?? .null
            return TemplateValue(.bool(comparison.holds(left, right)))
        case .choice(let value, let condition, let otherwise):
            if try evaluate(condition, at: range).isTruthy {
                return try evaluate(value, at: range)
            }
            guard let otherwise else { return TemplateValue(nil) }
            return try evaluate(otherwise, at: range)
        case .numbers(let from, let to, let range):
            return try numbers(evaluate(from, at: range), evaluate(to, at: range), at: range)
        }
    }

    /// Applies a filter to a value.
    mutating func apply(
        _ call: TemplateFilterCall,
        to value: TemplateValue
    ) throws(TemplateProblem) -> TemplateValue {
        let arguments = try evaluateAll(call.arguments, at: call.range)
        let result: TemplateValue
        do throws(TemplateFilterError) {
            result = try call.filter.apply(to: value, arguments)
        } catch {
            throw TemplateProblem(error.message, call.range)
        }
        try charge(result.json?.stringValue?.utf8.count ?? 0, at: call.range)
        return result
    }

    private mutating func evaluateAll(
        _ expressions: [TemplateExpression],
        at range: Range<Int>
    ) throws(TemplateProblem) -> [JSONValue] {
        var values: [JSONValue] = []
        for expression in expressions {
            values.append(try evaluate(expression, at: range).json ?? .null)
        }
        return values
    }

    private func numbers(
        _ from: TemplateValue,
        _ to: TemplateValue,
        at range: Range<Int>
    ) throws(TemplateProblem) -> TemplateValue {
        guard let from = from.json?.intValue, let to = to.json?.intValue else {
            throw TemplateProblem("a range needs two whole numbers, as in 1...10", range)
        }
        let (distance, overflows) = max(from, to).subtractingReportingOverflow(min(from, to))
        guard !overflows, distance < Self.maximumNumbers else {
            throw TemplateProblem(
                "the range has more than \(Self.maximumNumbers) numbers",
                range
            )
        }
        let numbers = (min(from, to)...max(from, to)).map { JSONValue.int($0) }
        return TemplateValue(.array(from <= to ? numbers : numbers.reversed()))
    }
}
