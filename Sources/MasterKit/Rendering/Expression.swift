/// A value that is computed each time it is rendered.
///
/// Evaluation is synchronous and pure: it waits for nothing and changes nothing.
public protocol Expression: Sendable {
    /// Computes the value.
    func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue
}

/// The tags of master.yaml that name an expression, with how each is read.
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

    /// Reads the expression of a node with this tag; what is wrong goes to the decoder.
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

    /// Whether the value is true or false.
    var isCondition: Bool {
        switch self {
        case .equal, .notEqual, .oneOf, .matches, .all, .any, .not, .results: true
        case .property, .interpolate, .template, .secret, .flattenList, .field: false
        }
    }

    /// What is wrong with a tag that is none of these.
    static func unknown(_ name: String) -> String {
        let known = (allCases.map(\.rawValue) + LoadedTag.allCases.map(\.rawValue)).sorted().map {
            "!" + $0
        }
        return "there is no tag !\(name); "
            + Suggestion.remedy(for: "!" + name, among: known)
    }
}

extension YAMLNode {
    /// Reads the expression that the node's tag names.
    func expression(with decoder: SettingDecoder) -> (any Expression)? {
        guard let expressionName else { return nil }
        guard let known = ExpressionTag(rawValue: expressionName) else {
            return decoder.error(ExpressionTag.unknown(expressionName), at: tag?.range ?? range)
        }
        return decoder.insideExpression(self) { known.expression(self, with: decoder) }
    }
}
