internal import MasterPatterns

/// A condition such as `!Equal [a, b]`, which evaluates to true or false.
package struct Condition: Expression {
    private indirect enum Test: Sendable {
        case equal(RenderTree, RenderTree)
        case oneOf(RenderTree, RenderTree)
        case matches(RenderTree, Pattern)
        case all([RenderTree])
        case any([RenderTree])
        case not(RenderTree)
        case results([Results])
    }

    private let test: Test

    /// An operand of `!All`, `!Any` or `!Not`, for messages.
    private static let part = "a condition of !All, !Any or !Not"

    init?(_ tag: ExpressionTag, _ node: YAMLNode, with decoder: SettingDecoder) {
        guard let test = Self.test(tag, node, decoder) else { return nil }
        self.test = test
    }

    private static func test(
        _ tag: ExpressionTag, _ node: YAMLNode, _ decoder: SettingDecoder
    ) -> Test? {
        if tag == .results { return results(node, decoder) }
        let (count, usage): (ClosedRange<Int>, String) =
            switch tag {
            case .equal, .notEqual: (2...2, "!\(tag.rawValue) [value, value]")
            case .oneOf: (2...2, "!OneOf [value, [item, …]]")
            case .matches: (2...2, "!Matches [value, 'regular expression']")
            case .not: (1...1, "!Not [condition]")
            default: (0...Int.max, "!\(tag.rawValue) [condition, …]")
            }
        guard let parts = decoder.operands(of: node, tag.rawValue, count: count, usage: usage)
        else { return nil }
        if [.all, .any, .not].contains(tag) {
            let items = node.sequence ?? []
            let checks = zip(items, parts).map { isCondition($0, $1, decoder) }
            guard !checks.contains(false) else { return nil }
        }
        switch tag {
        case .equal: return .equal(parts[0], parts[1])
        case .notEqual:
            return .not(.expression(Condition(test: .equal(parts[0], parts[1])), of: node))
        case .oneOf: return oneOf(parts[0], parts[1], decoder)
        case .not: return .not(parts[0])
        case .all: return .all(parts)
        case .any: return .any(parts)
        default: return Pattern(parts[1], decoder).map { .matches(parts[0], $0) }
        }
    }

    /// Reports an operand that is known not to be true or false.
    private static func isCondition(
        _ item: YAMLNode, _ part: RenderTree, _ decoder: SettingDecoder
    ) -> Bool {
        decoder.about(Self.part) {
            if case .expression(_, let node?) = part,
                let tag = node.expressionName.flatMap({ ExpressionTag(rawValue: $0) }),
                !decoder.mayBeCondition(tag, node)
            {
                return false
            }
            guard let constant = part.constant, JSONValue(constant).condition == nil else {
                return true
            }
            let origin = LoadedTag(of: item).map { ValueOrigin.loaded($0, item) } ?? .file
            decoder.error(origin.fault(decoder.subject, constant.wording), at: item.range)
            return false
        }
    }

    private static func oneOf(
        _ value: RenderTree, _ list: RenderTree, _ decoder: SettingDecoder
    ) -> Test? {
        if let node = list.constant, node.sequence == nil {
            return decoder.error(
                "the second part of !OneOf must be a list, not \(node.wording)", at: node.range)
        }
        return .oneOf(value, list)
    }

    private init(test: Test) {
        self.test = test
    }

    private static func results(_ node: YAMLNode, _ decoder: SettingDecoder) -> Test? {
        decoder.requireBuild("!Results", at: node.range)
        decoder.note(templateVariable: ["results"], at: node.range)
        return decoder.about("!Results") {
            guard case .scalar = node.kind else {
                return [Results].decode(node.untagged, with: decoder).map { .results($0) }
            }
            return Results.decode(node.untagged, with: decoder).map { .results([$0]) }
        }
    }

    /// Evaluates the condition.
    package func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        switch test {
        case .equal(let one, let other):
            return .bool(try Self.value(one, context) == Self.value(other, context))
        case .oneOf(let one, let list):
            guard case .array(let items) = try Self.value(list, context) else {
                throw RenderError("the second part of !OneOf is not a list")
            }
            return .bool(items.contains(try Self.value(one, context)))
        case .matches(let one, let pattern):
            return .bool(try pattern.isFound(in: try Self.value(one, context).text ?? ""))
        case .all(let parts):
            for part in parts where !(try Self.holds(part, context)) { return false }
            return true
        case .any(let parts):
            for part in parts where try Self.holds(part, context) { return true }
            return false
        case .not(let part):
            return .bool(!(try Self.holds(part, context)))
        case .results(let wanted):
            return .bool(wanted.contains(context.results))
        }
    }

    private static func value(
        _ tree: RenderTree, _ context: RenderContext
    ) throws(RenderError) -> JSONValue {
        JSONValue(try tree.render(in: context))
    }

    /// Whether an operand of `!All`, `!Any` or `!Not` is true.
    private static func holds(
        _ tree: RenderTree, _ context: RenderContext
    ) throws(RenderError) -> Bool {
        let value = try value(tree, context)
        if let condition = value.condition { return condition }
        let text = value.text ?? ""
        let isShown = context.secrets.mask.apply(to: text) == text
        let wording = isShown ? "'\(text.shortened)'" : "a text with a secret in it"
        throw RenderError(tree.origin.fault(part, wording), at: tree.range)
    }
}

extension JSONValue {
    /// The value as a condition: null is false, and the strings `true` and `false` are converted,
    /// since properties given with `-p` and set by commands are strings; `nil` for other strings.
    var condition: Bool? {
        guard case .string(let text) = self else { return isTruthy }
        return Bool(text)
    }
}

/// The origin of a value, which determines how a string is converted to a boolean.
enum ValueOrigin {
    /// Written in the file.
    case file
    /// The value of a property.
    case property(String)
    /// Read once, when the file was loaded.
    case loaded(LoadedTag, YAMLNode)
    /// Computed in another way.
    case computed

    /// What is wrong with a string that is neither `true` nor `false`, and how to fix it.
    func fault(_ subject: String, _ wording: String) -> String {
        "\(subject) must be true or false, not \(wording); \(remedy)"
    }

    private var remedy: String {
        switch self {
        case .file: "write true or false, or compare a text with !Equal [!Property NAME, text]"
        case .property(let name):
            "pass -p \(name):=true, compare a text with !Equal [!Property \(name), text], or replace "
                + "an empty one with !Property {key: \(name), default: false}"
        case .loaded(let tag, let node):
            "make it true or false, compare a text with !Equal [\(tag.spelling(of: node)), text], or "
                + "give it a 'default: false' where it may be unset"
        case .computed:
            "compare a text with !Equal [!Property x, text], pass a property as -p x:=true, or give "
                + "it a 'default: false'"
        }
    }
}

extension LoadedTag {
    /// The expression as written in the file, without its default.
    fileprivate func spelling(of node: YAMLNode) -> String {
        let name = node.mapping?["name"] ?? node.mapping?["path"] ?? node
        return "!\(rawValue) \(name.scalar?.value.shortened ?? "…")"
    }
}

extension RenderTree {
    /// The origin of the value.
    var origin: ValueOrigin {
        switch self {
        case .constant: .file
        case .expression(let property as Property, _): .property(property.name)
        case .expression, .sequence, .mapping: .computed
        }
    }
}

/// A boolean type, which as a setting accepts conditions.
protocol TruthValue {}

extension Bool: TruthValue {}
extension Optional: TruthValue where Wrapped: TruthValue {}

extension SettingDecoder {
    /// Returns the node's boolean, or one spelled by a string that is not written in the file
    /// itself.
    public func boolean(of node: YAMLNode) -> Bool? {
        if case .bool(let value) = node.resolved { return value }
        if case .file = origin { return nil }
        guard let scalar = node.scalar, case .string = node.resolved else { return nil }
        return Bool(scalar.value)
    }

    /// Reports an expression that always evaluates to a string or a list, which is never true or
    /// false.
    func mayBeCondition(_ tag: ExpressionTag, _ node: YAMLNode) -> Bool {
        switch tag {
        case .interpolate, .template, .secret, .flattenList:
            error(
                "\(subject) must be true or false, and !\(tag.rawValue) makes a "
                    + (tag == .flattenList ? "list" : "text")
                    + "; compare texts with !Equal [!Property NAME, text], or name a property that "
                    + "is true or false with !Property NAME", at: node.range)
            return false
        case .all, .any, .equal, .field, .matches, .not, .notEqual, .oneOf, .property, .results:
            return true
        }
    }
}

/// A regular expression, as in Perl, validated when the file is read.
public struct Pattern: SettingValue {
    /// The regular expression as it is written.
    package let text: String
    private let expression: RegularExpression

    /// A description of the accepted values, for error messages.
    public static var shape: String { "a regular expression" }

    /// The form of the accepted values.
    public static var form: ValueForm { .text }

    /// Creates a pattern.
    ///
    /// - Throws: An error with the location of the syntax error.
    public init(_ text: String) throws {
        self.text = text
        expression = try RegularExpression(text)
    }

    /// Reads a string.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Pattern? {
        guard let text = decoder.decode(String.self, from: node) else { return nil }
        return Pattern(text, at: node, decoder)
    }

    init?(_ tree: RenderTree, _ decoder: SettingDecoder) {
        guard let node = tree.constant, let text = node.scalarText else {
            decoder.error(
                "the regular expression of !Matches must be a plain text; it can't be computed",
                at: tree.range)
            return nil
        }
        self.init(text, at: node, decoder)
    }

    private init?(_ text: String, at node: YAMLNode, _ decoder: SettingDecoder) {
        self.text = text
        if text.hasPrefix("re.compile(") || text.hasPrefix("lambda") {
            decoder.error(
                "'\(text.shortened)' is Python; write a regular expression alone, such as "
                    + "release-.*", at: node.range)
            return nil
        }
        do {
            expression = try RegularExpression(text)
        } catch {
            let last = max(0, text.utf8.count - 1)
            let range = error.offset.flatMap { offset in
                let start = min(offset, last)
                return node.range(ofUTF8: start..<min(start + 1, text.utf8.count))
            }
            decoder.error(
                "'\(text.shortened)' is not a regular expression: \(error)",
                at: range ?? node.range)
            return nil
        }
    }

    /// Whether the pattern matches anywhere in the string, or only at its start.
    ///
    /// - Throws: If the search exceeds the limits on steps or memory.
    public func isFound(
        in text: String, onlyAtStart: Bool = false
    ) throws(RenderError) -> Bool {
        do {
            return try expression.isFound(in: text, onlyAtStart: onlyAtStart)
        } catch {
            throw RenderError("\(error)")
        }
    }
}
