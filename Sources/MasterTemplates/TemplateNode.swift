internal import MasterJSON

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
