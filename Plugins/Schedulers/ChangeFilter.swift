internal import MasterKit

/// The setting `change_filter`: which changes a scheduler follows. Everything given must fit.
struct ChangeFilter: Settings {
    @Setting("Only changes of this branch, or one of these; null is the default branch.")
    var branch: OneOrMore<String?>?
    @Setting("No changes of this branch.", .named("branch_not_eq"))
    var branchNotEqual: OneOrMore<String?>?
    @Setting("Only branches that begin with a match.", .named("branch_re"))
    var branchMatching: OneOrMore<Pattern>?
    @Setting("No branches that begin with a match.", .named("branch_not_re"))
    var branchNotMatching: OneOrMore<Pattern>?

    @Setting("Only changes of this repository.") var repository: OneOrMore<String>?
    @Setting("No changes of this repository.", .named("repository_not_eq"))
    var repositoryNotEqual: OneOrMore<String>?
    @Setting("Only repositories that begin with a match.", .named("repository_re"))
    var repositoryMatching: OneOrMore<Pattern>?
    @Setting("No repositories that begin with a match.", .named("repository_not_re"))
    var repositoryNotMatching: OneOrMore<Pattern>?

    @Setting("Only changes of this project.") var project: OneOrMore<String>?
    @Setting("No changes of this project.", .named("project_not_eq"))
    var projectNotEqual: OneOrMore<String>?
    @Setting("Only projects that begin with a match.", .named("project_re"))
    var projectMatching: OneOrMore<Pattern>?
    @Setting("No projects that begin with a match.", .named("project_not_re"))
    var projectNotMatching: OneOrMore<Pattern>?

    @Setting("Only changes of this category.") var category: OneOrMore<String>?
    @Setting("No changes of this category.", .named("category_not_eq"))
    var categoryNotEqual: OneOrMore<String>?
    @Setting("Only categories that begin with a match.", .named("category_re"))
    var categoryMatching: OneOrMore<Pattern>?
    @Setting("No categories that begin with a match.", .named("category_not_re"))
    var categoryNotMatching: OneOrMore<Pattern>?

    @Setting("Only changes of this codebase.") var codebase: OneOrMore<String>?
    @Setting("No changes of this codebase.", .named("codebase_not_eq"))
    var codebaseNotEqual: OneOrMore<String>?
    @Setting("Only codebases that begin with a match.", .named("codebase_re"))
    var codebaseMatching: OneOrMore<Pattern>?
    @Setting("No codebases that begin with a match.", .named("codebase_not_re"))
    var codebaseNotMatching: OneOrMore<Pattern>?

    @Setting("Only changes with these properties.", .named("property_eq"))
    var properties: [String: OneOrMore<String>] = [:]
    @Setting("No changes with one of these properties.", .named("property_not_eq"))
    var propertiesNotEqual: [String: OneOrMore<String>] = [:]
    @Setting("Only changes with properties that begin with a match.", .named("property_re"))
    var propertiesMatching: [String: OneOrMore<Pattern>] = [:]
    @Setting("No changes with a property that begins with a match.", .named("property_not_re"))
    var propertiesNotMatching: [String: OneOrMore<Pattern>] = [:]

    /// Whether a change fits.
    ///
    /// - Throws: An error if a regular expression needs too many steps.
    func admits(_ change: Change) throws -> Bool {
        try tests(of: change).allSatisfy { try $0.isPassed() }
    }

    private func tests(of change: Change) -> [ValueTest] {
        [
            ValueTest(
                change.branch,
                equal: branch?.items ?? ($branch.isGiven ? [nil] : nil),
                notEqual: branchNotEqual?.items ?? ($branchNotEqual.isGiven ? [nil] : nil),
                branchMatching, branchNotMatching),
            ValueTest(
                change.repository, equal: repository?.items, notEqual: repositoryNotEqual?.items,
                repositoryMatching, repositoryNotMatching),
            ValueTest(
                change.project, equal: project?.items, notEqual: projectNotEqual?.items,
                projectMatching, projectNotMatching),
            ValueTest(
                change.category, equal: category?.items, notEqual: categoryNotEqual?.items,
                categoryMatching, categoryNotMatching),
            ValueTest(
                change.codebase, equal: codebase?.items, notEqual: codebaseNotEqual?.items,
                codebaseMatching, codebaseNotMatching),
        ]
            + propertyNames.map { name in
                ValueTest(
                    change.properties[name]?.text ?? "", equal: properties[name]?.items,
                    notEqual: propertiesNotEqual[name]?.items, propertiesMatching[name],
                    propertiesNotMatching[name])
            }
    }

    private var propertyNames: Set<String> {
        Set(properties.keys).union(propertiesNotEqual.keys).union(propertiesMatching.keys)
            .union(propertiesNotMatching.keys)
    }
}

extension ChangeFilter: SettingValue {
    private static let key = "util.ChangeFilter"

    static var shape: String { "a mapping such as {branch: main} or {branch_re: 'release/'}" }

    static var form: ValueForm { .either([.settings(Self.self), .settings(Wrapped.self)]) }

    /// Reads the settings, also below `util.ChangeFilter` as in Buildbot.
    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ChangeFilter? {
        guard let mapping = node.mapping else { return decoder.mismatch(node, expected: shape) }
        guard mapping.entries.count == 1, let entry = mapping.entries.first,
            entry.key.scalarText == key
        else {
            return decoder.read(Self.self, from: node, owner: decoder.subject, at: node.range)
        }
        return decoder.read(Self.self, from: entry.value, owner: key, at: entry.key.range)
    }

    /// The key that may stand around the settings, for schemas.
    private struct Wrapped: Settings {
        @Setting("Which changes.", .named(ChangeFilter.key)) var filter: ChangeFilter?
    }
}

extension ChangeFilter: SettingHints {
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "filter_fn", "project_fn", "repository_fn", "branch_fn", "category_fn", "codebase_fn":
            "a file has no functions; use a regular expression, such as 'branch_re'"
        case "author", "author_re", "who":
            "changes can't be selected by their authors; remove it"
        case "files", "files_re": "write 'fileIsImportant' in the scheduler"
        case "filter.ChangeFilter", "ChangeFilter": "write its settings in place of it"
        case "branches": "write 'branch', which can be a list"
        case "categories": "write 'category', which can be a list"
        case "properties", "property": "write 'property_eq'"
        default: nil
        }
    }
}

/// The test of one value of a change.
private struct ValueTest {
    private let value: String?
    private let equal: [String?]?
    private let notEqual: [String?]?
    private let matching: [Pattern]?
    private let notMatching: [Pattern]?

    init(
        _ value: String?, equal: [String?]?, notEqual: [String?]?, _ matching: OneOrMore<Pattern>?,
        _ notMatching: OneOrMore<Pattern>?
    ) {
        self.value = value
        self.equal = equal
        self.notEqual = notEqual
        self.matching = matching?.items
        self.notMatching = notMatching?.items
    }

    /// Whether the value fits; null matches no regular expression.
    func isPassed() throws -> Bool {
        if let equal, !equal.contains(value) { return false }
        if let notEqual, notEqual.contains(value) { return false }
        guard let value else { return matching == nil }
        if let matching, !(try Self.isFound(matching, in: value)) { return false }
        if let notMatching, try Self.isFound(notMatching, in: value) { return false }
        return true
    }

    private static func isFound(_ patterns: [Pattern], in value: String) throws -> Bool {
        try patterns.contains { try $0.isFound(in: value, onlyAtStart: true) }
    }
}

/// One value, or a list of them.
struct OneOrMore<Element: SettingValue>: SettingValue {
    let items: [Element]

    static var shape: String { "\(Element.shape) or a list" }

    static var form: ValueForm { .either([Element.form, .list(of: Element.form)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Self? {
        guard let items = node.sequence else {
            return decoder.decode(Element.self, from: node).map { Self(items: [$0]) }
        }
        guard !items.isEmpty else {
            return decoder.error("\(decoder.subject) must not be empty", at: node.range)
        }
        return decoder.decode([Element].self, from: node).map { Self(items: $0) }
    }
}
