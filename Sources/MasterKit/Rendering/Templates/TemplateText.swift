/// A text with `{{ … }}` and `{% … %}`, parsed once and rendered for each report or step.
///
/// The language is what Jinja and Stencil have in common: variables with paths, filters, `if` with
/// `elif` and `else`, `for` with `empty`, `filter`, and comments. A variable that is missing or
/// null renders as nothing. A template reads no files, and rendering is bounded in time and size.
public struct TemplateText: Sendable, Hashable {
    /// What a rendered template is.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Text that is inserted as it is.
        case plain
        /// HTML: what is inserted is escaped, unless it is marked `safe`.
        case html
        /// JSON: what is inserted should pass through the filter `json`.
        case json
    }

    /// The text the template was parsed from.
    public let text: String

    /// What a rendered template is.
    public var kind: Kind

    /// The variables the template takes from outside, in the order of the text.
    public let variables: [TemplateVariable]

    let nodes: [TemplateNode]

    /// Parses a template.
    ///
    /// - Parameters:
    ///   - text: The template.
    ///   - kind: What it renders to.
    /// - Throws: The first mistake, with its place.
    public init(parsing text: String, kind: Kind = .plain) throws(TemplateError) {
        do throws(TemplateProblem) {
            var parser = try TemplateParser(text)
            nodes = try parser.parseTemplate()
            variables = parser.variables.found
        } catch {
            throw TemplateError(error.message, at: error.range, in: text)
        }
        self.text = text
        self.kind = kind
    }

    /// Renders the template with the values of its variables.
    ///
    /// - Parameters:
    ///   - context: The values by name.
    ///   - secrets: What hides secrets. What a filter makes of one is hidden, too.
    /// - Returns: The text.
    /// - Throws: When a filter can't be applied, the template takes too much time or room, or it makes
    ///   a text out of a secret that can't be hidden.
    public func render(
        _ context: JSONObject, hiding secrets: SecretMask? = nil
    ) throws(TemplateError) -> String {
        do throws(TemplateProblem) {
            var renderer = TemplateRenderer(
                context: context, escapesHTML: kind == .html, secrets: secrets)
            return try renderer.render(nodes)
        } catch {
            throw TemplateError(error.message, at: error.range, in: text)
        }
    }
}
