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
            + (remedy(for: name) ?? Suggestion.remedy(for: "!" + name, among: known))
    }

    /// What to write for what Buildbot and other programs have.
    private static func remedy(for name: String) -> String? {
        if name.hasPrefix("util.") {
            let plain = String(name.dropFirst("util.".count))
            return ExpressionTag(rawValue: plain).map { "write !\($0.rawValue)" }
                ?? remedy(for: plain)
        }
        return switch name {
        case "WithProperties": "write !Interpolate"
        case "URLForBuild":
            "write !Template \"{{ buildbot_url }}#/builders/{{ build.builderid }}/builds/"
                + "{{ build.number }}\""
        case "renderer", "Renderer", "Transform", "Lambda", "lambda":
            "a file has no functions; write !Template, or a plugin in Swift"
        case "In", "Contains": "write !OneOf [value, list]"
        case "And": "write !All"
        case "Or": "write !Any"
        case "If": "write !Template \"{{ a if condition else b }}\""
        default: nil
        }
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
            let next = Int(part).flatMap { value[$0] } ?? value.templateMember(part)
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

/// The data from which values are computed, at one moment of a build.
public struct RenderContext: Sendable {
    /// The build's properties.
    public var properties: Properties
    /// The source stamps of the build.
    public var sourceStamps: [SourceStamp]
    /// Information about the worker.
    public var worker: JSONObject
    /// The values of the secrets used by the configuration.
    public var secrets: SecretValues
    /// The result so far, for `!Results` conditions.
    public var results: Results
    /// The context of templates: build, builder, buildset and related records.
    public var template: JSONObject {
        get { makeTemplate() }
        set { makeTemplate = { newValue } }
    }
    private var makeTemplate: @Sendable () -> JSONObject
    /// Whether the values are URLs, in which inserted values are encoded.
    var insertsIntoAddress = false

    /// Creates a context.
    public init(
        properties: Properties = Properties(), sourceStamps: [SourceStamp] = [],
        worker: JSONObject = JSONObject(), secrets: SecretValues = SecretValues(),
        results: Results = .success, template: JSONObject = JSONObject()
    ) {
        self.init(
            properties: properties, sourceStamps: sourceStamps, worker: worker, secrets: secrets,
            results: results, template: { template })
    }

    /// Creates a context whose template context is built on first use, which is rare in a build.
    package init(
        properties: Properties, sourceStamps: [SourceStamp], worker: JSONObject,
        secrets: SecretValues, results: Results,
        template makeTemplate: @escaping @Sendable () -> JSONObject
    ) {
        self.properties = properties
        self.sourceStamps = sourceStamps
        self.worker = worker
        self.secrets = secrets
        self.results = results
        self.makeTemplate = makeTemplate
    }
}

/// The scope in which a value is rendered, which determines what it can refer to.
public enum RenderScope: Sendable, Hashable {
    /// In a build: properties, sources, worker and secrets.
    case build
    /// In a service, which does not belong to a build: only secrets.
    case service
    /// In the body of a report: the template context and properties.
    case report
    /// In a setting of a reporter that is computed for each report: the same as `report`, and
    /// secrets.
    case reporter
}

/// The values of secrets by name, fetched before the first build.
public struct SecretValues: Sendable {
    /// The values by name.
    package let byName: [String: String]
    /// Replaces these values, and other masked ones, in everything that is displayed or stored.
    public let mask: SecretMask
    /// Variables of the master's environment that hold secrets; they are not passed to commands.
    public let withheldVariables: Set<String>

    /// Creates a set of secret values.
    ///
    /// - Parameters:
    ///   - values: The values by name.
    ///   - others: Values that are masked as well but cannot be used.
    ///   - variables: Environment variables that are not passed to commands.
    public init(
        _ values: [String: String] = [:], hiding others: [(name: String, value: String)] = [],
        withholding variables: Set<String> = []
    ) {
        byName = values
        withheldVariables = variables
        let own = values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        mask = SecretMask(own + others)
    }

    /// The value of a secret.
    public subscript(name: String) -> String? { byName[name] }

    private init(
        _ values: [String: String], mask: SecretMask, withholding variables: Set<String>
    ) {
        byName = values
        self.mask = mask
        withheldVariables = variables
    }

    /// Returns these values with the mask of earlier ones, which masks these as well from now on.
    ///
    /// Former secrets remain masked.
    package func following(_ earlier: SecretValues) -> SecretValues {
        earlier.mask.hide(all: mask)
        return SecretValues(
            byName, mask: earlier.mask,
            withholding: withheldVariables.union(earlier.withheldVariables))
    }
}

/// An error computing a value at run time, with its location in the file.
public struct RenderError: Error, CustomStringConvertible {
    /// What is wrong and how to fix it; contains no secrets.
    public let message: String
    /// The location of the value.
    public let range: SourceRange?

    /// Creates an error.
    public init(_ message: String, at range: SourceRange? = nil) {
        self.message = message
        self.range = range
    }

    /// The message, with the line it refers to.
    public var description: String {
        guard let range else { return message }
        return "line \(range.start.line): \(message)"
    }
}

/// What an editor needs to know about a tag of master.yaml.
package struct TagDescription: Sendable {
    /// The tag with its exclamation mark.
    package let name: String
    /// The kinds of nodes that it takes: `scalar`, `sequence`, `mapping`.
    package let kinds: [String]
    /// What the value is, in one sentence.
    package let summary: String

    /// All tags, sorted by name.
    package static let all: [TagDescription] = {
        let loaded = [
            TagDescription(
                name: "!Env", kinds: ["scalar", "mapping"],
                summary: "The value of an environment variable, read when the file is loaded."),
            TagDescription(
                name: "!File", kinds: ["scalar", "mapping"],
                summary: "The content of a file, or in 'data' and 'files' a file of the worker."),
        ]
        return (loaded + ExpressionTag.allCases.map(\.description)).sorted { $0.name < $1.name }
    }()
}

extension ExpressionTag {
    fileprivate var description: TagDescription {
        let (kinds, summary): ([String], String) =
            switch self {
            case .all: (["sequence"], "True if all conditions of a list are.")
            case .any: (["sequence"], "True if one of the conditions of a list is.")
            case .equal: (["sequence"], "True if two values are equal.")
            case .field: (["scalar"], "A value of a report, with its type.")
            case .flattenList: (["sequence"], "The items of nested lists as one list.")
            case .interpolate: (["scalar", "sequence"], "A text with %(prop:name)s in it.")
            case .matches: (["sequence"], "True if a value matches a regular expression.")
            case .not: (["sequence"], "True if the condition is not.")
            case .notEqual: (["sequence"], "True if two values differ.")
            case .oneOf: (["sequence"], "True if a value is in a list.")
            case .property: (["scalar", "mapping"], "The value of a property, with its type.")
            case .results: (["scalar", "sequence"], "True if the result so far is one of these.")
            case .secret: (["scalar"], "The value of a secret.")
            case .template: (["scalar"], "A text with {{ name }} in it.")
            }
        return TagDescription(name: "!" + rawValue, kinds: kinds, summary: summary)
    }
}
