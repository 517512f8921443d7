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
        case .variable(let name): return lookup(name)
        case .list(let elements):
            let (values, secret) = try evaluateAll(elements, at: range)
            try bound(.array(values), at: range)
            return TemplateValue(.array(values), secret: secret)
        case .member(let whole, let path):
            var value = try evaluate(whole, at: range)
            for key in path { value = member(try evaluate(key, at: range), of: value) }
            return value
        case .filtered(let inner, let calls):
            var value = try evaluate(inner, at: range)
            for call in calls { value = try apply(call, to: value) }
            return value
        case .not(let inner):
            return TemplateValue(.bool(try !evaluate(inner, at: range).isTruthy))
        case .and(let parts): return try first(of: parts, at: range) { !$0.isTruthy }
        case .or(let parts): return try first(of: parts, at: range) { $0.isTruthy }
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

    /// The first value that decides, or else the last one.
    private mutating func first(
        of parts: [TemplateExpression], at range: Range<Int>, _ decides: (TemplateValue) -> Bool
    ) throws(TemplateProblem) -> TemplateValue {
        var value = TemplateValue(nil)
        for part in parts {
            value = try evaluate(part, at: range)
            if decides(value) { break }
        }
        return value
    }

    /// The member of a value: of a text it is a character, of which no mask knows any more.
    private func member(_ key: TemplateValue, of whole: TemplateValue) -> TemplateValue {
        let part = whole.member(key.json)
        guard case .string = whole.json, case .string = part else {
            return TemplateValue(part, secret: whole.secret)
        }
        return TemplateValue(part, secret: whole.secret ?? nameOfSecret(in: whole.json))
    }

    /// Applies a filter to a value.
    mutating func apply(
        _ call: TemplateFilterCall,
        to value: TemplateValue
    ) throws(TemplateProblem) -> TemplateValue {
        let (arguments, argumentSecret) = try evaluateAll(call.arguments, at: call.range)
        var result: TemplateValue
        do throws(TemplateFilterError) {
            result = try call.filter.apply(to: value, arguments)
        } catch {
            throw TemplateProblem(error.message, call.range)
        }
        result.secret = value.secret ?? argumentSecret
        if !call.filter.keepsSecrets(in: value.json), result.secret == nil {
            result.secret = nameOfSecret(in: value.json)
        }
        if case .length = call.filter { result.secret = nil }
        try charge(result.json?.stringValue?.utf8.count ?? 0, at: call.range)
        return result
    }

    /// Evaluates expressions; the secret is that of the first value that was made from one.
    private mutating func evaluateAll(
        _ expressions: [TemplateExpression],
        at range: Range<Int>
    ) throws(TemplateProblem) -> (values: [JSONValue], secret: String?) {
        var values: [JSONValue] = []
        var secret: String?
        for expression in expressions {
            let value = try evaluate(expression, at: range)
            values.append(value.json ?? .null)
            secret = secret ?? value.secret
        }
        return (values, secret)
    }

    /// Refuses a list that is too large; the same value may stand in it again and again.
    private func bound(_ value: JSONValue, at range: Range<Int>) throws(TemplateProblem) {
        var budget = JSONBudget()
        do {
            try budget.take(value)
        } catch {
            throw TemplateProblem("the list \(error)", range)
        }
    }

    /// The name of the first secret in the texts of a value.
    private func nameOfSecret(in value: JSONValue?) -> String? {
        guard let secrets, !secrets.isEmpty else { return nil }
        switch value {
        case .string(let text): return secrets.nameOfSecret(in: text)
        case .number(let number): return secrets.nameOfSecret(in: number.spelling)
        case .array(let items):
            for item in items {
                if let name = nameOfSecret(in: item) { return name }
            }
        case .object(let object):
            for (key, item) in object {
                if let name = secrets.nameOfSecret(in: key) ?? nameOfSecret(in: item) {
                    return name
                }
            }
        case .bool, .null, nil: break
        }
        return nil
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
