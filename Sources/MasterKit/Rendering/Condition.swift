/// A condition such as `!Equal [a, b]`: a value that is true or false.
public struct Condition: Expression {
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
        return decoder.about("!Results") {
            guard case .scalar = node.kind else {
                return [Results].decode(node.untagged, with: decoder).map { .results($0) }
            }
            return Results.decode(node.untagged, with: decoder).map { .results([$0]) }
        }
    }

    /// Whether the condition holds.
    public func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
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
            for part in parts where !(try Self.value(part, context).isTruthy) { return false }
            return true
        case .any(let parts):
            for part in parts where try Self.value(part, context).isTruthy { return true }
            return false
        case .not(let part):
            return .bool(!(try Self.value(part, context).isTruthy))
        case .results(let wanted):
            return .bool(wanted.contains(context.results))
        }
    }

    private static func value(
        _ tree: RenderTree, _ context: RenderContext
    ) throws(RenderError) -> JSONValue {
        JSONValue(try tree.render(in: context))
    }
}
