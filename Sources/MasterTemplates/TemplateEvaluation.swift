internal import MasterJSON

extension TemplateRenderer {
    private static let maximumNumbers = 100_000

    /// Evaluates an expression; an error without a location gets the given one.
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
        case .access(let whole, let steps):
            var value = try evaluate(whole, at: range)
            for step in steps { value = try access(step, of: value, at: range) }
            return value
        case .arithmetic(let first, let operands):
            var value = try evaluate(first, at: range)
            for operand in operands {
                let right = try evaluate(operand.value, at: operand.range)
                value = try combine(value, operand.sign, right, at: operand.range)
            }
            return value
        case .test(let value, let test):
            return TemplateValue(.bool(test.holds(try evaluate(value, at: range).json)))
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

    /// The first operand that decides the result, or else the last one.
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

    /// The member of a value; for a string it is a character, in which a mask would not recognize a
    /// secret.
    private func member(_ key: TemplateValue, of whole: TemplateValue) -> TemplateValue {
        let part = whole.member(key.json)
        guard whole.isText, case .string = part else {
            return TemplateValue(part, secret: whole.secret)
        }
        return TemplateValue(part, secret: whole.secret ?? nameOfSecret(in: whole.json))
    }

    private mutating func access(
        _ step: TemplateAccess, of whole: TemplateValue, at range: Range<Int>
    ) throws(TemplateProblem) -> TemplateValue {
        switch step {
        case .member(let key):
            return member(try evaluate(key, at: range), of: whole)
        case .slice(let from, let to, let range):
            let from = try from.map { from throws(TemplateProblem) in try bound(of: from, range) }
            let to = try to.map { to throws(TemplateProblem) in try bound(of: to, range) }
            return slice(of: whole, from: from ?? 0, to: to ?? .max)
        case .method(let method, let arguments, let range):
            return try call(method, arguments, of: whole, at: range)
        }
    }

    private mutating func bound(
        of expression: TemplateExpression, _ range: Range<Int>
    ) throws(TemplateProblem) -> Int {
        let value = try evaluate(expression, at: range)
        guard let bound = value.json?.intValue else {
            throw TemplateProblem("a slice needs whole numbers, as in text[:7]", range)
        }
        return bound
    }

    /// A slice of a string or list; negative bounds count from its end.
    private func slice(of whole: TemplateValue, from: Int, to: Int) -> TemplateValue {
        func range(_ count: Int) -> Range<Int> {
            let start = min(max(from < 0 ? max(count + from, 0) : from, 0), count)
            let end = min(max(to < 0 ? count + to : to, start), count)
            return start..<end
        }
        switch whole.json {
        case .array(let array):
            return TemplateValue(.array(Array(array[range(array.count)])), secret: whole.secret)
        case .string(let text):
            let range = range(text.count)
            let part = text.dropFirst(range.lowerBound).prefix(range.count)
            let secret = part.count < text.count ? nameOfSecret(in: whole.json) : nil
            return TemplateValue(.string(String(part)), secret: whole.secret ?? secret)
        default: return TemplateValue(nil, secret: whole.secret)
        }
    }

    private mutating func call(
        _ method: TemplateMethod, _ arguments: [TemplateExpression], of whole: TemplateValue,
        at range: Range<Int>
    ) throws(TemplateProblem) -> TemplateValue {
        if let filter = method.filter {
            let call = TemplateFilterCall(filter: filter, arguments: arguments, range: range)
            return try apply(call, to: whole)
        }
        let (values, secret) = try evaluateAll(arguments, at: range)
        switch method {
        case .get:
            guard case .object(let object) = whole.json, let key = values.first?.text,
                let value = object[key]
            else { return TemplateValue(values.count > 1 ? values[1] : nil, secret: secret) }
            return TemplateValue(value, secret: whole.secret)
        case .join:
            let list = TemplateValue(values.first, secret: secret)
            return try apply(.join, to: list, [whole.json ?? .null], whole.secret, at: range)
        case .startswith, .endswith:
            let (text, part) = (whole.text, values.first?.text ?? "")
            let holds = method == .startswith ? text.hasPrefix(part) : text.hasSuffix(part)
            return TemplateValue(.bool(holds))
        default:
            guard case .object(let object) = whole.json else { return TemplateValue([]) }
            let parts = method == .keys ? object.keys.map { .string($0) } : object.map(\.value)
            return TemplateValue(.array(parts), secret: whole.secret)
        }
    }

    /// Applies a filter to a value.
    mutating func apply(
        _ call: TemplateFilterCall, to value: TemplateValue
    ) throws(TemplateProblem) -> TemplateValue {
        let (arguments, secret) = try evaluateAll(call.arguments, at: call.range)
        return try apply(call.filter, to: value, arguments, secret, at: call.range)
    }

    private mutating func apply(
        _ filter: TemplateFilter, to value: TemplateValue, _ arguments: [JSONValue],
        _ argumentSecret: String?, at range: Range<Int>
    ) throws(TemplateProblem) -> TemplateValue {
        var result: TemplateValue
        do throws(TemplateFilterError) {
            result = try filter.apply(to: value, arguments)
        } catch {
            throw TemplateProblem(error.message, range)
        }
        result.secret = value.secret ?? argumentSecret
        if !filter.keepsSecrets(in: value.json), result.secret == nil {
            result.secret = nameOfSecret(in: value.json)
        }
        if case .length = filter { result.secret = nil }
        switch result.json {
        case .string(let text): try charge(text.utf8.count, at: range)
        case .array(let items): try charge(items.count * 16, at: range)
        default: break
        }
        return result
    }

    /// Combines two values; if either derives from a secret, so does the result.
    private mutating func combine(
        _ left: TemplateValue, _ sign: TemplateOperator, _ right: TemplateValue,
        at range: Range<Int>
    ) throws(TemplateProblem) -> TemplateValue {
        var secret = left.secret ?? right.secret
        let result: JSONValue
        switch (left.json, sign, right.json) {
        case (_, .concatenate, _):
            result = try joined(left.text, right.text, at: range)
        case (.string(let left), .plus, .string(let right)):
            result = try joined(left, right, at: range)
        case (.array(let left), .plus, .array(let right)):
            result = .array(left + right)
            try bound(result, at: range)
        case (.number(let one), _, .number(let other)):
            guard let number = sign.apply(one, other) else {
                throw TemplateProblem("this divides by zero", range)
            }
            result = .number(number)
            secret = secret ?? nameOfSecret(in: left.json) ?? nameOfSecret(in: right.json)
        default:
            let words = [left, right].map { Self.word(for: $0.json) }.joined(separator: " and ")
            throw TemplateProblem(
                sign == .plus
                    ? "'+' takes two numbers, two texts or two lists, not \(words); write ~ to join "
                        + "texts, and default:0 for what may be missing"
                    : "'\(sign.rawValue)' takes two numbers, not \(words); write | int for a text, "
                        + "and default:0 for what may be missing", range)
        }
        return TemplateValue(result, secret: secret)
    }

    private mutating func joined(
        _ left: String, _ right: String, at range: Range<Int>
    ) throws(TemplateProblem) -> JSONValue {
        let count = left.utf8.count + right.utf8.count
        try charge(count, at: range)
        guard count <= TemplateFilter.maximumByteCount else {
            throw TemplateProblem(
                "the text would be larger than \(TemplateFilter.maximumByteCount >> 20) MiB", range)
        }
        return .string(left + right)
    }

    private static func word(for value: JSONValue?) -> String {
        switch value {
        case nil: "a missing value"
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "a mapping"
        }
    }

    /// Evaluates expressions; the secret is that of the first value derived from one.
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

    /// Rejects a list that is too large, counting a value each time it occurs.
    private mutating func bound(
        _ value: JSONValue, at range: Range<Int>
    ) throws(TemplateProblem) {
        var budget = JSONBudget()
        do {
            try budget.take(value)
        } catch {
            throw TemplateProblem("the list \(error)", range)
        }
        try charge(budget.takenValues * 16, at: range)
    }

    /// The name of the first secret in the strings of a value.
    func nameOfSecret(in value: JSONValue?) -> String? {
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
        _ from: TemplateValue, _ to: TemplateValue,
        at range: Range<Int>
    ) throws(TemplateProblem) -> TemplateValue {
        guard let from = from.json?.intValue, let to = to.json?.intValue else {
            throw TemplateProblem("a range needs two whole numbers, as in 1...10", range)
        }
        let (distance, overflows) = max(from, to).subtractingReportingOverflow(min(from, to))
        guard !overflows, distance < Self.maximumNumbers else {
            throw TemplateProblem("the range has more than \(Self.maximumNumbers) numbers", range)
        }
        let numbers = (min(from, to)...max(from, to)).map { JSONValue.int($0) }
        return TemplateValue(.array(from <= to ? numbers : numbers.reversed()))
    }
}

extension TemplateOperator {
    /// Calculates with two numbers, exactly if both are integers; `nil` for a division by zero.
    fileprivate func apply(_ left: JSONNumber, _ right: JSONNumber) -> JSONNumber? {
        if self == .divide || self == .divideWhole || self == .remainder {
            guard right.doubleValue != 0 else { return nil }
        }
        if let left = left.intValue, let right = right.intValue,
            let whole = whole(left, right)
        {
            return JSONNumber(whole)
        }
        let (a, b) = (left.doubleValue, right.doubleValue)
        return switch self {
        case .plus: JSONNumber(a + b)
        case .minus: JSONNumber(a - b)
        case .times: JSONNumber(a * b)
        case .divide: JSONNumber(a / b)
        case .divideWhole: JSONNumber((a / b).rounded(.down))
        case .remainder: JSONNumber(a - b * (a / b).rounded(.down))
        case .concatenate: nil
        }
    }

    /// The integer result, rounded down as in Python; `nil` if it is not an integer or too large.
    private func whole(_ left: Int, _ right: Int) -> Int? {
        let (result, overflows): (Int, Bool)
        switch self {
        case .plus: (result, overflows) = left.addingReportingOverflow(right)
        case .minus: (result, overflows) = left.subtractingReportingOverflow(right)
        case .times: (result, overflows) = left.multipliedReportingOverflow(by: right)
        case .divide:
            if right == -1 { return left == .min ? nil : -left }
            return left % right == 0 ? left / right : nil
        case .divideWhole, .remainder:
            if right == -1, self == .divideWhole { return left == .min ? nil : -left }
            if right == -1 { return 0 }
            let remainder = left % right
            let isRoundedUp = remainder != 0 && (remainder < 0) != (right < 0)
            if self == .remainder { return isRoundedUp ? remainder + right : remainder }
            return left / right - (isRoundedUp ? 1 : 0)
        case .concatenate: return nil
        }
        return overflows ? nil : result
    }
}
