/// An expression that is evaluated each time it is rendered.
///
/// Evaluation is synchronous and free of side effects.
public protocol Expression: Sendable {
    /// Evaluates the expression.
    func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue
}

/// The tags of expressions in master.yaml, and how each is read.
enum ExpressionTag: String, CaseIterable {
    case all = "All"
    case any = "Any"
    case equal = "Equal"
    case field = "Field"
    case flattenList = "FlattenList"
    case interpolate = "Interpolate"
    case matches = "Matches"
    case not = "Not"
    case notEqual = "NotEqual"
    case oneOf = "OneOf"
    case property = "Property"
    case results = "Results"
    case secret = "Secret"
    case template = "Template"

    /// Reads the expression of a node with this tag; errors are added to the decoder.
    func expression(_ node: YAMLNode, with decoder: SettingDecoder) -> (any Expression)? {
        switch self {
        case .property: Property(node, with: decoder)
        case .interpolate: Interpolate(node, with: decoder)
        case .template: Template(node, with: decoder)
        case .secret: Secret(node, with: decoder)
        case .flattenList: FlattenList(node, with: decoder)
        case .field: Field(node, with: decoder)
        case .equal, .notEqual, .oneOf, .matches, .all, .any, .not, .results:
            Condition(self, node, with: decoder)
        }
    }

    /// Whether the expression is a condition.
    var isCondition: Bool {
        switch self {
        case .equal, .notEqual, .oneOf, .matches, .all, .any, .not, .results: true
        case .property, .interpolate, .template, .secret, .flattenList, .field: false
        }
    }

    /// What is wrong with an unknown tag.
    static func unknown(_ name: String) -> String {
        let known = (allCases.map(\.rawValue) + LoadedTag.allCases.map(\.rawValue)).sorted().map {
            "!" + $0
        }
        return "unknown tag !\(name); "
            + Suggestion.remedy(for: "!" + name, among: known)
    }
}

extension YAMLNode {
    /// Reads the expression named by the node's tag.
    func expression(with decoder: SettingDecoder) -> (any Expression)? {
        guard let expressionName else { return nil }
        guard let known = ExpressionTag(rawValue: expressionName) else {
            return decoder.error(ExpressionTag.unknown(expressionName), at: tag?.range ?? range)
        }
        return decoder.insideExpression(self) { known.expression(self, with: decoder) }
    }
}

/// Any value, parts of which may be computed at run time.
public struct DeferredValue: SettingValue, RenderableValue {
    let tree: RenderTree

    /// A description of the accepted values, for error messages.
    public static var shape: String { "any value" }

    /// Reads a value and validates the expressions in it.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> DeferredValue? {
        let start = decoder.keptCount
        let tree = RenderTree(node, with: decoder)
        if let constant = tree?.constant {
            guard decoder.decode(JSONValue.self, from: constant) != nil else { return nil }
        } else {
            decoder.probing(since: start) { _ = decoder.decode(JSONValue.self, from: node) }
        }
        return tree.map { DeferredValue(tree: $0) }
    }

    /// Renders the value.
    public func render(in context: RenderContext) throws(RenderError) -> JSONValue {
        JSONValue(try tree.render(in: context))
    }
}

extension JSONValue {
    /// The value of a node without expressions.
    init(_ node: YAMLNode) {
        switch node.kind {
        case .scalar(let scalar): self.init(scalar, as: node.resolved)
        case .sequence(let items): self = .array(items.map { JSONValue($0) })
        case .mapping(let mapping):
            self = .object(
                JSONObject(mapping.entries.map { ($0.key.scalarText ?? "", JSONValue($0.value)) }))
        }
    }
}

/// The tags whose value is read once, when the file is loaded, and replaces the node.
enum LoadedTag: String, CaseIterable {
    case env = "Env"
    case file = "File"

    /// The tag of a node, if it is one of these.
    init?(of node: YAMLNode) {
        guard let name = node.expressionName else { return nil }
        self.init(rawValue: name)
    }

    /// Returns the replacement for a node with this tag; errors are added to the decoder.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - decoder: Provides the environment and the file's folder.
    ///   - isTyped: Whether the text is read as if written in the file without quotes.
    /// - Returns: The node, or `nil` if there is an error.
    func value(
        of node: YAMLNode, with decoder: SettingDecoder, isTyped: Bool = false
    ) -> YAMLNode? {
        let style: YAMLScalar.Style = isTyped ? .plain : .doubleQuoted
        return switch self {
        case .env: EnvironmentVariable(node, with: decoder)?.value(with: decoder, style: style)
        case .file: FileText(node, with: decoder)?.value(with: decoder, style: style)
        }
    }
}

/// `!Field build.number`: a value from the template context, with its type.
package struct Field: Expression {
    let path: [String]

    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        guard case .scalar(let scalar) = node.kind else {
            decoder.error("!Field is written !Field build.number", at: node.range)
            return nil
        }
        let parts = scalar.value.split(separator: ".", omittingEmptySubsequences: false)
        guard !parts.contains(where: \.isEmpty), !parts.isEmpty else {
            decoder.error(
                "!Field needs a path of names with dots between them, as in !Field build.number",
                at: node.range)
            return nil
        }
        guard decoder.scope == .report || decoder.scope == .reporter else {
            decoder.error(
                "!Field is only allowed in 'format' of a reporter; in a build use "
                    + "!Property or !Template", at: node.range)
            return nil
        }
        path = parts.map(String.init)
        decoder.note(templateVariable: path, at: node.range)
    }

    /// The value at the path, or null if there is none.
    package func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        var value = JSONValue.object(context.template)
        for part in path {
            let next = Int(part).flatMap { value[$0] } ?? value[part]
            guard let next else { return .null }
            value = next
        }
        return value
    }
}

extension SettingDecoder {
    /// Reports an expression that requires a build in a scope without one.
    func requireBuild(_ what: String, at range: @autoclosure () -> SourceRange?) {
        guard scope == .service else { return }
        error(
            "\(subject) belongs to a service, which has no build; \(what) has no value there, "
                + "use !Secret or !Env", at: range())
    }

    /// Reads the items of an expression's list of operands.
    func operands(
        of node: YAMLNode, _ tag: String, count: ClosedRange<Int>, usage: String
    ) -> [RenderTree]? {
        guard case .sequence(let items) = node.kind, count.contains(items.count) else {
            return error("!\(tag) is written \(usage)", at: node.range)
        }
        let trees = items.map { RenderTree($0, with: self) }
        let present = trees.compactMap(\.self)
        return present.count == trees.count ? present : nil
    }
}
