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
        /// All errors, in the order of the text.
        public let errors: [TemplateError]
    }

    /// Parses a template, and collects all errors.
    public static func parse(_ text: String, kind: Kind = .plain) -> Parsed {
        var parser = TemplateParser(text)
        let nodes = parser.parseTemplate()
        let problems = parser.problems.sorted { $0.range.lowerBound < $1.range.lowerBound }
        return Parsed(
            template: TemplateText(
                text: text, kind: kind, variables: parser.variables.found, nodes: nodes),
            errors: problems.map { TemplateError($0.message, at: $0.range, in: text) })
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
