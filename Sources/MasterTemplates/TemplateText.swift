public import MasterJSON

/// A template with `{{ … }}` and `{% … %}`, parsed once and rendered for each report or step.
///
/// The language is the common subset of Jinja and Stencil: variables with paths, filters, `if` with
/// `elif` and `else`, `for` with `empty`, `set`, `filter`, and comments. A missing or null variable
/// renders as an empty string. Templates cannot read files, and rendering is limited in time and
/// size.
public struct TemplateText: Sendable, Hashable {
    /// The output format of a template.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Plain text: values are inserted as is.
        case plain
        /// HTML: inserted values are escaped unless marked `safe`.
        case html
        /// JSON: values inserted inside quotes are escaped; elsewhere they are written as JSON.
        case json
    }

    /// The string from which the template was parsed.
    public let text: String

    /// The output format.
    public var kind: Kind

    /// The free variables of the template, in the order of the text.
    public let variables: [TemplateVariable]

    let nodes: [TemplateNode]

    /// The result of parsing a template.
    public struct Parsed: Sendable {
        /// The template, without the parts that contain errors.
        public let template: TemplateText
        /// The errors, in the order of the text, of which the first hundred found are kept.
        public let errors: [TemplateError]
        /// The number of errors beyond those.
        public let omittedCount: Int
    }

    /// Parses a template, and collects all errors.
    public static func parse(_ text: String, kind: Kind = .plain) -> Parsed {
        var parser = TemplateParser(text)
        let nodes = parser.parseTemplate()
        let problems = parser.problems.sorted { $0.range.lowerBound < $1.range.lowerBound }
        return Parsed(
            template: TemplateText(
                text: text, kind: kind, variables: parser.variables.found, nodes: nodes),
            errors: problems.map { TemplateError($0.message, at: $0.range, in: text) },
            omittedCount: parser.omittedCount)
    }

    private init(
        text: String, kind: Kind, variables: [TemplateVariable], nodes: [TemplateNode]
    ) {
        self.text = text
        self.kind = kind
        self.variables = variables
        self.nodes = nodes
    }

    /// Parses a template.
    ///
    /// - Parameters:
    ///   - text: The template.
    ///   - kind: The output format.
    /// - Throws: The first error; see ``parse(_:kind:)`` for all of them.
    public init(parsing text: String, kind: Kind = .plain) throws(TemplateError) {
        let parsed = Self.parse(text, kind: kind)
        if let error = parsed.errors.first { throw error }
        self = parsed.template
    }

    /// Renders the template with the values of its variables, none of which are secret.
    ///
    /// - Parameter context: The values by name.
    /// - Returns: The text.
    /// - Throws: If a filter can't be applied, or the template exceeds the limits on time or size.
    public func render(_ context: JSONObject) throws(TemplateError) -> String {
        try render(context, secrets: nil)
    }

    package func render(
        _ context: JSONObject, secrets: (any TemplateSecrets)?
    ) throws(TemplateError) -> String {
        do throws(TemplateProblem) {
            var renderer = TemplateRenderer(
                context: context, kind: kind, secrets: secrets)
            return try renderer.render(nodes)
        } catch {
            throw TemplateError(error.message, at: error.range, in: text)
        }
    }
}

/// A free variable of a template.
public struct TemplateVariable: Sendable, Hashable {
    /// The components of the path as far as they are known before rendering: `build`, `properties`.
    public let path: [String]
    /// The location of the variable in the template, in UTF-8 bytes.
    public let range: Range<Int>
    /// Whether the template provides a default for it.
    public let hasDefault: Bool

    /// The first component of the path.
    public var name: String { path.first ?? "" }
}

/// The variables found so far while parsing, and the names bound at the current position.
struct TemplateVariables {
    private(set) var found: [TemplateVariable] = []
    private var bound: [String] = []
    /// The number of enclosing loops with an invalid head, whose bindings are unknown.
    var unknownDepth = 0

    mutating func use(_ path: [String], at range: Range<Int>, hasDefault: Bool) {
        guard let name = path.first, unknownDepth == 0, !bound.contains(name) else { return }
        found.append(TemplateVariable(path: path, range: range, hasDefault: hasDefault))
    }

    /// The number of bound names.
    var boundCount: Int { bound.count }

    mutating func bind(_ names: [String]) {
        bound += names
    }

    /// Removes all names except the first ones.
    mutating func unbind(to count: Int) {
        bound.removeLast(bound.count - count)
    }
}

/// An error in a template, or in rendering it, with its location.
public struct TemplateError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One sentence: what is wrong and how to fix it.
    public let message: String
    /// The location in the template, in UTF-8 bytes.
    public let range: Range<Int>
    /// The line of the template, starting at 1.
    public let line: Int
    /// The character in the line, starting at 1.
    public let column: Int

    /// Creates an error about a part of a template.
    ///
    /// - Parameters:
    ///   - message: What is wrong and how to fix it.
    ///   - range: The part, in UTF-8 bytes.
    ///   - template: The text of the template.
    public init(_ message: String, at range: Range<Int>, in template: String) {
        self.message = message
        self.range = range
        (line, column) = template.utf8.prefix(range.lowerBound).lineAndColumnOfEnd
    }

    /// The message with its location.
    public var description: String {
        "\(message) (line \(line), column \(column) of the template)"
    }
}

/// An error that has not yet been attributed to a template.
struct TemplateProblem: Error {
    let message: String
    let range: Range<Int>

    init(_ message: String, _ range: Range<Int>) {
        self.message = message
        self.range = range
    }
}

/// A part of a parsed template.
enum TemplateNode: Sendable, Hashable {
    case text(String)
    case output(TemplateExpression, range: Range<Int>)
    case condition([TemplateBranch])
    case loop(TemplateLoop)
    case filter([TemplateFilterCall], body: [TemplateNode])
    case set(String, TemplateExpression, range: Range<Int>)
    case breakLoop
    case continueLoop
}

/// A condition, or `nil` for `else`, with its body.
struct TemplateBranch: Sendable, Hashable {
    let condition: TemplateExpression?
    let body: [TemplateNode]
}

/// A `for` loop.
struct TemplateLoop: Sendable, Hashable {
    /// The names that a loop binds in addition to its own: Stencil's and Jinja's.
    static let stateNames = ["forloop", "loop"]

    let names: [String]
    let source: TemplateExpression
    let condition: TemplateExpression?
    let body: [TemplateNode]
    /// The nodes to render if there are no elements.
    let empty: [TemplateNode]
    let range: Range<Int>
}

/// A parsed expression of a template.
///
/// Anything whose length is unlimited is a list here, so that only parentheses nest.
indirect enum TemplateExpression: Sendable, Hashable {
    case literal(JSONValue)
    case list([TemplateExpression])
    case variable(String)
    case access(TemplateExpression, [TemplateAccess])
    case filtered(TemplateExpression, [TemplateFilterCall])
    case arithmetic(TemplateExpression, [TemplateOperand])
    case test(TemplateExpression, TemplateTest)
    case not(TemplateExpression)
    case and([TemplateExpression])
    case or([TemplateExpression])
    case comparison(TemplateExpression, TemplateComparison, TemplateExpression)
    case choice(TemplateExpression, if: TemplateExpression, else: TemplateExpression?)
    /// The integers from one value to another, ascending or descending.
    case numbers(TemplateExpression, TemplateExpression, range: Range<Int>)
}

extension TemplateExpression {
    /// Whether the expression is literal JSON punctuation in the template, such as `"," if not
    /// loop.last`, rather than a value.
    var isPunctuation: Bool {
        switch self {
        case .literal(.string(let text)):
            !text.isEmpty && text.allSatisfy { ",:[]{}".contains($0) || $0.isWhitespace }
        case .choice(let value, if: _, else: let otherwise):
            value.isPunctuation && (otherwise ?? .literal("")).isPunctuationOrEmpty
                || value.isPunctuationOrEmpty && otherwise?.isPunctuation ?? false
        default: false
        }
    }

    private var isPunctuationOrEmpty: Bool { self == .literal("") || isPunctuation }
}

/// One access in `value.name[0].get("key")`.
enum TemplateAccess: Sendable, Hashable {
    case member(TemplateExpression)
    case slice(from: TemplateExpression?, to: TemplateExpression?, range: Range<Int>)
    case method(TemplateMethod, [TemplateExpression], range: Range<Int>)
}

/// An operator with its right operand.
struct TemplateOperand: Sendable, Hashable {
    let sign: TemplateOperator
    let value: TemplateExpression
    let range: Range<Int>
}

/// An operator that combines two values.
enum TemplateOperator: String, Sendable, Hashable {
    case plus = "+"
    case minus = "-"
    case concatenate = "~"
    case times = "*"
    case divide = "/"
    case divideWhole = "//"
    case remainder = "%"
}

/// The test in `value is NAME`.
struct TemplateTest: Sendable, Hashable {
    enum Kind: String, Sendable, CaseIterable {
        case defined
        case undefined
        case none
        case string
        case number
        case mapping
        case sequence
    }

    let kind: Kind
    let isNegated: Bool

    func holds(_ value: JSONValue?) -> Bool {
        let holds =
            switch (kind, value) {
            case (.defined, .some), (.undefined, nil), (.none, .null), (.none, nil): true
            case (.string, .string), (.number, .number), (.mapping, .object): true
            case (.sequence, .array): true
            default: false
            }
        return holds != isNegated
    }
}

/// A filter with its arguments.
struct TemplateFilterCall: Sendable, Hashable {
    let filter: TemplateFilter
    let arguments: [TemplateExpression]
    let range: Range<Int>
}

/// A comparison of two values.
enum TemplateComparison: String, Sendable, Hashable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case isNotIn = "not in"

    /// Compares two values; a missing one counts as null, and values without an order are never
    /// less.
    func holds(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .less: Self.isLess(left, right)
        case .lessOrEqual: Self.isLess(left, right) || Self.isSame(left, right)
        case .greater: Self.isLess(right, left)
        case .greaterOrEqual: Self.isLess(right, left) || Self.isSame(left, right)
        case .isIn: Self.contains(right, left)
        case .isNotIn: !Self.contains(right, left)
        }
    }

    private static func isLess(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.number(let a), .number(let b)):
            if let a = a.intValue, let b = b.intValue { return a < b }
            return a.doubleValue < b.doubleValue
        case (.string(let a), .string(let b)): return a < b
        default: return false
        }
    }

    private static func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.number, .number), (.string, .string): left == right
        default: false
        }
    }

    private static func contains(_ whole: JSONValue, _ part: JSONValue) -> Bool {
        switch (whole, part) {
        case (.string(let whole), .string(let part)): part.isEmpty || whole.contains(part)
        case (.array(let whole), _): whole.contains(part)
        case (.object(let whole), .string(let key)): whole[key] != nil
        default: false
        }
    }
}
