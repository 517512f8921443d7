internal import MasterJSON

/// The state of rendering a template once.
struct TemplateRenderer {
    /// The limit for one rendering: a step for each node, iteration and value, and for each 64
    /// bytes.
    private static let maximumSteps = 1_000_000

    /// How rendering a list of nodes ended.
    enum Flow {
        case next
        case breakLoop
        case continueLoop
    }

    /// A binding of a loop: its names, or its state.
    private enum Binding {
        case value(String, TemplateValue)
        case loop(index: Int, count: Int)
    }

    private let kind: TemplateText.Kind
    private let context: JSONObject
    let secrets: (any TemplateSecrets)?
    private var bindings: [Binding] = []
    /// The position in the JSON at the end of the output; unchanged in the body of a `filter`,
    /// which is a value.
    private var json = JSONPlace()
    private var filterDepth = 0
    /// The index of the first binding of the innermost loop, or of the template.
    private var scopeStart = 0
    private var output = ""
    private var steps = 0
    /// A secret of which a part has been inserted that is too short to be masked by itself.
    private var shortened: (secret: String, range: Range<Int>)?

    init(context: JSONObject, kind: TemplateText.Kind, secrets: (any TemplateSecrets)?) {
        self.context = context
        self.kind = kind
        self.secrets = secrets
    }

    mutating func render(_ nodes: [TemplateNode]) throws(TemplateProblem) -> String {
        _ = try renderNodes(nodes)
        if let shortened { try hide(output, madeFrom: shortened.secret, at: shortened.range) }
        return output
    }

    /// Masks inserted text that derives from a secret.
    ///
    /// If it is too short to be masked, the whole text is masked once it is complete: two-letter
    /// pieces could add up to the secret.
    private mutating func hide(
        _ value: TemplateValue, _ text: String, at range: Range<Int>
    ) throws(TemplateProblem) {
        guard let secret = value.secret, !text.allSatisfy(\.isWhitespace) else { return }
        do {
            try secrets?.hide(text, madeFrom: secret)
        } catch .tooShort {
            shortened = shortened ?? (secret, range)
        } catch {
            throw problem(error, text, madeFrom: secret, at: range)
        }
    }

    private func hide(
        _ text: String, madeFrom secret: String, at range: Range<Int>
    ) throws(TemplateProblem) {
        do {
            try secrets?.hide(text, madeFrom: secret)
        } catch {
            throw problem(error, text, madeFrom: secret, at: range)
        }
    }

    private func problem(
        _ fault: TemplateSecretFault, _ text: String, madeFrom secret: String, at range: Range<Int>
    ) -> TemplateProblem {
        switch fault {
        case .tooShort:
            TemplateProblem(
                "the template shows a part of the secret '\(secret)' that is too short to be "
                    + "hidden, \(text.count) of its characters; leave it out", range)
        case .tooLong(let maximumBytes):
            TemplateProblem(
                "the template makes a text of \(text.utf8.count) bytes out of the secret "
                    + "'\(secret)'; at most \(maximumBytes) can be hidden", range)
        }
    }

    private mutating func renderNodes(_ nodes: [TemplateNode]) throws(TemplateProblem) -> Flow {
        for node in nodes {
            switch node {
            case .text(let text): try append(markup: text, at: 0..<0)
            case .output(let expression, let range):
                let value = try evaluate(expression, at: range)
                try hide(value, value.text, at: range)
                if kind == .json, filterDepth == 0, expression.isPunctuation {
                    try append(markup: value.text, at: range)
                } else {
                    try insert(value, at: range)
                }
            case .set(let name, let expression, let range):
                set(name, try evaluate(expression, at: range))
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

    /// Inserts a value, escaped for the context.
    private mutating func insert(
        _ value: TemplateValue, at range: Range<Int>
    ) throws(TemplateProblem) {
        switch kind {
        case .plain: try append(value.text, at: range)
        case .html:
            let text = value.text
            try append(value.isSafe ? text : TemplateValue.escapedForHTML(text), at: range)
        case .json where filterDepth > 0: try append(value.text, at: range)
        case .json where value.form == .raw: try append(markup: value.text, at: range)
        case .json where json.isInString:
            let quoted = JSONWriter.compact.string(.string(value.text))
            try append(String(quoted.dropFirst().dropLast()), at: range)
        case .json where value.form == .json: try append(value.text, at: range)
        case .json: try append(JSONWriter.compact.string(value.json ?? .null), at: range)
        }
    }

    /// Appends literal text of the template.
    private mutating func append(
        markup text: String, at range: Range<Int>
    ) throws(TemplateProblem) {
        try append(text, at: range)
        if kind == .json, filterDepth == 0 { json.pass(text) }
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

    /// Charges the cost of a step, and throws if the limit is exceeded.
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
        filterDepth += 1
        let flow = try renderNodes(body)
        filterDepth -= 1
        var value = TemplateValue(.string(output))
        output = before
        for call in calls {
            value = try apply(call, to: value)
        }
        let range = calls.first?.range ?? 0..<0
        try hide(value, value.text, at: range)
        if kind == .json {
            try insert(value, at: range)
        } else {
            try append(value.text, at: range)
        }
        return flow
    }

    private mutating func render(_ loop: TemplateLoop) throws(TemplateProblem) -> Flow {
        let depth = bindings.count
        let outerScope = scopeStart
        scopeStart = depth
        defer {
            bindings.removeSubrange(depth...)
            scopeStart = outerScope
        }
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

    /// The elements of a loop: the elements of a list, the keys and values of a mapping, or the
    /// characters of a string.
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
        case .string(let text):
            try charge(text.utf8.count * 16, at: loop.range)
            elements = text.map { .string(String($0)) }
        default: break
        }
        let secret = source.isText ? source.secret ?? nameOfSecret(in: source.json) : source.secret
        guard let condition = loop.condition else { return (elements, secret) }
        let depth = bindings.count
        var kept: [JSONValue] = []
        for element in elements {
            bind(element, to: loop.names, secret)
            if try evaluate(condition, at: loop.range).isTruthy { kept.append(element) }
            bindings.removeSubrange(depth...)
        }
        return (kept, secret)
    }

    private mutating func bind(_ element: JSONValue, to names: [String], _ secret: String?) {
        for (index, name) in names.enumerated() {
            let part = names.count == 1 ? element : element[index]
            let value = TemplateValue(part ?? (index == 0 ? element : .null), secret: secret)
            bindings.append(.value(name, value))
        }
    }

    /// Binds a name until the end of the loop, or of the template.
    private mutating func set(_ name: String, _ value: TemplateValue) {
        let earlier = bindings[scopeStart...].firstIndex { binding in
            if case .value(name, _) = binding { true } else { false }
        }
        if let earlier {
            bindings[earlier] = .value(name, value)
        } else {
            bindings.append(.value(name, value))
        }
    }

    /// The value of a name, from the innermost loop that binds it or from outside.
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

/// Tracks whether a JSON text ends inside a string.
private struct JSONPlace {
    private(set) var isInString = false
    private var isEscaped = false

    mutating func pass(_ text: String) {
        for byte in text.utf8 {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\"") {
                isInString.toggle()
            } else {
                isEscaped = isInString && byte == UInt8(ascii: "\\")
            }
        }
    }
}

/// The secrets that a template may encounter; masks values that the template derives from them.
package protocol TemplateSecrets: Sendable {
    /// Whether there are no secrets.
    var isEmpty: Bool { get }

    /// Returns the name of the first secret in a string, or `nil` if it contains none.
    func nameOfSecret(in text: String) -> String?

    /// Masks a string derived from a secret in everything that is displayed or stored from now on.
    func hide(_ text: String, madeFrom secret: String) throws(TemplateSecretFault)
}

/// The reason why a string derived from a secret can't be masked.
package enum TemplateSecretFault: Error {
    /// Masking it would mask too much else.
    case tooShort
    /// It is longer than the maximum, in bytes.
    case tooLong(maximumBytes: Int)
}
