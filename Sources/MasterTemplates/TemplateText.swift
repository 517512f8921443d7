public import MasterJSON

/// A text with `{{ … }}` and `{% … %}`, parsed once and rendered for each report or step.
///
/// The language is what Jinja and Stencil have in common: variables with paths, filters, `if` with
/// `elif` and `else`, `for` with `empty`, `set`, `filter`, and comments. A variable that is missing
/// or null renders as nothing. A template reads no files, and rendering is bounded in time and size.
public struct TemplateText: Sendable, Hashable {
    /// What a rendered template is.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Text that is inserted as it is.
        case plain
        /// HTML: what is inserted is escaped, unless it is marked `safe`.
        case html
        /// JSON: what is inserted inside quotes is escaped, elsewhere it is written as JSON.
        case json
    }

    /// The text the template was parsed from.
    public let text: String

    /// What a rendered template is.
    public var kind: Kind

    /// The variables the template takes from outside, in the order of the text.
    public let variables: [TemplateVariable]

    let nodes: [TemplateNode]

    /// The result of parsing a text.
    public struct Parsed: Sendable {
        /// The template, without the parts that have a mistake.
        public let template: TemplateText
        /// All mistakes, in the order of the text.
        public let errors: [TemplateError]
    }

    /// Parses a template, and finds all mistakes in it.
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
    ///   - kind: What it renders to.
    /// - Throws: The first mistake, with its place; see ``parse(_:kind:)`` for all of them.
    public init(parsing text: String, kind: Kind = .plain) throws(TemplateError) {
        let parsed = Self.parse(text, kind: kind)
        if let error = parsed.errors.first { throw error }
        self = parsed.template
    }

    /// Renders the template with the values of its variables, none of which is secret.
    ///
    /// - Parameter context: The values by name.
    /// - Returns: The text.
    /// - Throws: When a filter can't be applied, or the template takes too much time or room.
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

/// A variable that a template takes from outside.
public struct TemplateVariable: Sendable, Hashable {
    /// The names of the path as far as they are known before rendering: `build`, `properties`.
    public let path: [String]
    /// Where the variable stands in the template, in UTF-8 bytes.
    public let range: Range<Int>
    /// Whether the template has a default for it.
    public let hasDefault: Bool

    /// The first name of the path.
    public var name: String { path.first ?? "" }
}

/// The variables that parsing has met, and the names that are bound where it is.
struct TemplateVariables {
    private(set) var found: [TemplateVariable] = []
    private var bound: [String] = []
    /// In how many loops with a wrong head parsing is; what these bind is not known.
    var unknownDepth = 0

    mutating func use(_ path: [String], at range: Range<Int>, hasDefault: Bool) {
        guard let name = path.first, unknownDepth == 0, !bound.contains(name) else { return }
        found.append(TemplateVariable(path: path, range: range, hasDefault: hasDefault))
    }

    /// How many names are bound.
    var boundCount: Int { bound.count }

    mutating func bind(_ names: [String]) {
        bound += names
    }

    /// Forgets all names but the first ones.
    mutating func unbind(to count: Int) {
        bound.removeLast(bound.count - count)
    }
}

/// What is wrong with a template, or with rendering it, and where.
public struct TemplateError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One sentence that says what is wrong and what to write.
    public let message: String
    /// Where it is in the template, in UTF-8 bytes.
    public let range: Range<Int>
    /// The line of the template, from 1.
    public let line: Int
    /// The character in the line, from 1.
    public let column: Int

    /// Makes an error about a part of a template.
    ///
    /// - Parameters:
    ///   - message: What is wrong and what to write.
    ///   - range: The part, in UTF-8 bytes.
    ///   - template: The text of the template.
    public init(_ message: String, at range: Range<Int>, in template: String) {
        self.message = message
        self.range = range
        (line, column) = template.utf8.prefix(range.lowerBound).lineAndColumnOfEnd
    }

    /// The message with its place.
    public var description: String {
        "\(message) (line \(line), column \(column) of the template)"
    }
}

/// An error before it is known which template it is in.
struct TemplateProblem: Error {
    let message: String
    let range: Range<Int>

    init(_ message: String, _ range: Range<Int>) {
        self.message = message
        self.range = range
    }
}
