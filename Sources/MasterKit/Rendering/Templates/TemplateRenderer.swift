/// The state of rendering one template once.
struct TemplateRenderer {
    /// What one rendering may cost: a step for each node, round and value, and for each 64 bytes.
    private static let maximumSteps = 1_000_000

    /// How a list of nodes was left.
    enum Flow {
        case next
        case breakLoop
        case continueLoop
    }

    /// What a loop binds: its names, or what it tells about itself.
    private enum Binding {
        case value(String, TemplateValue)
        case loop(index: Int, count: Int)
    }

    private let escapesHTML: Bool
    private let context: JSONObject
    let secrets: SecretMask?
    private var bindings: [Binding] = []
    private var output = ""
    private var steps = 0
    /// A secret of which a part was inserted that is too short to be hidden by itself.
    private var shortened: (secret: String, range: Range<Int>)?

    init(context: JSONObject, escapesHTML: Bool, secrets: SecretMask?) {
        self.context = context
        self.escapesHTML = escapesHTML
        self.secrets = secrets
    }

    mutating func render(_ nodes: [TemplateNode]) throws(TemplateProblem) -> String {
        _ = try renderNodes(nodes)
        if let shortened { try hide(output, madeFrom: shortened.secret, at: shortened.range) }
        return output
    }

    /// Hides what is inserted of a value that was made from a secret.
    ///
    /// What is too short to be hidden has the whole text hidden when that is complete: pieces of two
    /// letters would add up to the secret.
    private mutating func hide(
        _ value: TemplateValue, _ text: String, at range: Range<Int>
    ) throws(TemplateProblem) {
        guard let secret = value.secret, !text.allSatisfy(\.isWhitespace) else { return }
        if text.count < SecretVerdict.minimumCount {
            shortened = shortened ?? (secret, range)
        } else {
            try hide(text, madeFrom: secret, at: range)
        }
    }

    private func hide(
        _ text: String, madeFrom secret: String, at range: Range<Int>
    ) throws(TemplateProblem) {
        do {
            try secrets?.hide(text, as: secret)
        } catch {
            let isShort = text.count < SecretVerdict.minimumCount
            throw TemplateProblem(
                isShort
                    ? "the template shows \(text.count) characters of the secret '\(secret)', too few "
                        + "to be hidden; leave them out"
                    : "the template makes a text of \(text.utf8.count) bytes out of the secret "
                        + "'\(secret)'; at most \(SecretVerdict.maximumBytes) can be hidden",
                range)
        }
    }

    private mutating func renderNodes(_ nodes: [TemplateNode]) throws(TemplateProblem) -> Flow {
        for node in nodes {
            switch node {
            case .text(let text): try append(text, at: 0..<0)
            case .output(let expression, let range):
                let value = try evaluate(expression, at: range)
                let text = value.text
                try hide(value, text, at: range)
                try append(
                    escapesHTML && !value.isSafe ? TemplateValue.escapedForHTML(text) : text,
                    at: range)
            case .condition(let branches):
                let flow = try render(branches)
                guard flow == .next else { return flow }
            case .loop(let loop):
                let flow = try render(loop)
                guard flow == .next else { return flow }
            case .filter(let calls, let body):
                let flow = try render(calls, body)
                guard flow == .next else { return flow }
            case .breakLoop: return .breakLoop
            case .continueLoop: return .continueLoop
            }
        }
        return .next
    }

    private mutating func append(_ text: String, at range: Range<Int>) throws(TemplateProblem) {
        try charge(text.utf8.count, at: range)
        guard output.utf8.count + text.utf8.count <= TemplateFilter.maximumByteCount else {
            throw TemplateProblem(
                "the rendered text would be larger than "
                    + "\(TemplateFilter.maximumByteCount >> 20) MiB",
                range
            )
        }
        output += text
    }

    /// Counts what a step costs, and stops a rendering that costs too much.
    mutating func charge(_ byteCount: Int, at range: Range<Int>) throws(TemplateProblem) {
        steps += 1 + byteCount / 64
        guard steps <= Self.maximumSteps else {
            throw TemplateProblem(
                "rendering takes more than \(Self.maximumSteps) steps; the loops go through too "
                    + "much",
                range
            )
        }
    }

    private mutating func render(_ branches: [TemplateBranch]) throws(TemplateProblem) -> Flow {
        for branch in branches {
            let holds =
                try branch.condition.map { condition throws(TemplateProblem) in
                    try evaluate(condition, at: 0..<0).isTruthy
                } ?? true
            if holds { return try renderNodes(branch.body) }
        }
        return .next
    }

    private mutating func render(
        _ calls: [TemplateFilterCall], _ body: [TemplateNode]
    ) throws(TemplateProblem) -> Flow {
        let before = output
        output = ""
        let flow = try renderNodes(body)
        var value = TemplateValue(.string(output))
        output = before
        for call in calls {
            value = try apply(call, to: value)
        }
        let range = calls.first?.range ?? 0..<0
        try hide(value, value.text, at: range)
        try append(value.text, at: range)
        return flow
    }

    private mutating func render(_ loop: TemplateLoop) throws(TemplateProblem) -> Flow {
        let depth = bindings.count
        defer { bindings.removeSubrange(depth...) }
        let (elements, secret) = try elements(of: loop)
        guard !elements.isEmpty else { return try renderNodes(loop.empty) }
        for (index, element) in elements.enumerated() {
            try charge(0, at: loop.range)
            bind(element, to: loop.names, secret)
            bindings.append(.loop(index: index, count: elements.count))
            let flow = try renderNodes(loop.body)
            bindings.removeSubrange(depth...)
            if flow == .breakLoop { break }
        }
        return .next
    }

    /// What a loop goes through: the elements of a list, or the keys and values of a mapping.
    private mutating func elements(
        of loop: TemplateLoop
    ) throws(TemplateProblem) -> (elements: [JSONValue], secret: String?) {
        let source = try evaluate(loop.source, at: loop.range)
        var elements: [JSONValue] = []
        switch source.json {
        case .array(let array): elements = array
        case .object(let object) where loop.names.count == 1:
            elements = object.keys.map { .string($0) }
        case .object(let object): elements = object.map { [.string($0.key), $0.value] }
        default: break
        }
        guard let condition = loop.condition else { return (elements, source.secret) }
        let depth = bindings.count
        var kept: [JSONValue] = []
        for element in elements {
            bind(element, to: loop.names, source.secret)
            if try evaluate(condition, at: loop.range).isTruthy { kept.append(element) }
            bindings.removeSubrange(depth...)
        }
        return (kept, source.secret)
    }

    private mutating func bind(_ element: JSONValue, to names: [String], _ secret: String?) {
        for (index, name) in names.enumerated() {
            let part = names.count == 1 ? element : element[index]
            let value = TemplateValue(part ?? (index == 0 ? element : .null), secret: secret)
            bindings.append(.value(name, value))
        }
    }

    /// The value of a name: of the innermost loop that binds it, or from outside.
    func lookup(_ name: String) -> TemplateValue {
        for binding in bindings.reversed() {
            switch binding {
            case .value(name, let value): return value
            case .loop(let index, let count) where TemplateLoop.stateNames.contains(name):
                return TemplateValue(Self.state(index: index, count: count))
            default: continue
            }
        }
        return TemplateValue(context[name])
    }

    private static func state(index: Int, count: Int) -> JSONValue {
        [
            "first": .bool(index == 0), "last": .bool(index == count - 1),
            "counter": .int(index + 1), "counter0": .int(index), "length": .int(count),
            "index": .int(index + 1), "index0": .int(index),
        ]
    }
}

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
