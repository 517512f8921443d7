/// A part of a parsed template.
enum TemplateNode: Sendable, Hashable {
    case text(String)
    case output(TemplateExpression, range: Range<Int>)
    case condition([TemplateBranch])
    case loop(TemplateLoop)
    case filter([TemplateFilterCall], body: [TemplateNode])
    case breakLoop
    case continueLoop
}

/// A condition, or none for `else`, and what it guards.
struct TemplateBranch: Sendable, Hashable {
    let condition: TemplateExpression?
    let body: [TemplateNode]
}

/// A `for` with its parts.
struct TemplateLoop: Sendable, Hashable {
    /// The names that a loop binds besides its own: Stencil's and Jinja's.
    static let stateNames = ["forloop", "loop"]

    let names: [String]
    let source: TemplateExpression
    let condition: TemplateExpression?
    let body: [TemplateNode]
    /// What is rendered when there is nothing to go through.
    let empty: [TemplateNode]
    let range: Range<Int>
}
