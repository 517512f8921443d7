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

    mutating func use(_ path: [String], at range: Range<Int>, hasDefault: Bool) {
        guard let name = path.first, !bound.contains(name) else { return }
        found.append(TemplateVariable(path: path, range: range, hasDefault: hasDefault))
    }

    mutating func bind(_ names: [String]) {
        bound += names
    }

    mutating func unbind(_ names: [String]) {
        bound.removeLast(names.count)
    }
}
