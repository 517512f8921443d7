/// A property that a person can set who forces a build: its type, default and allowed values.
///
/// In a file it is written as in Buildbot: `util.IntParameter: {name: jobs, default: 2}`.
public struct ForceParameter: SettingValue, Hashable {
    /// The type of a parameter.
    public enum Kind: String, Sendable, CaseIterable {
        /// A text.
        case string = "StringParameter"
        /// A text of several lines.
        case text = "TextParameter"
        /// A whole number.
        case int = "IntParameter"
        /// True or false.
        case bool = "BooleanParameter"
        /// A value that nobody can change.
        case fixed = "FixedParameter"
        /// One of several texts.
        case choice = "ChoiceStringParameter"
    }

    /// The type.
    public let kind: Kind
    /// The name of the property.
    public let name: String
    /// A description for people.
    public let label: String?
    /// The value if none is given.
    public let fallback: JSONValue?
    /// Whether a value must be given.
    public let isRequired: Bool
    /// The texts to choose from.
    public let choices: [String]
    /// Whether no other text is allowed.
    public let isStrict: Bool

    private static let prefix = "util."

    /// A description of the accepted values, for error messages.
    public static var shape: String {
        "a parameter such as util.StringParameter: {name: version}"
    }

    /// A mapping from a type to its settings.
    public static var form: ValueForm { .settings(Types.self) }

    /// Reads a mapping from the type to its settings.
    public static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> ForceParameter? {
        guard let mapping = node.mapping, mapping.entries.count == 1,
            let entry = mapping.entries.first, let key = entry.key.scalarText
        else { return decoder.mismatch(node, expected: shape) }
        guard key.hasPrefix(prefix), let kind = Kind(rawValue: String(key.dropFirst(5))) else {
            let known = Kind.allCases.map { prefix + $0.rawValue }
            let remedy = remedies[key] ?? Suggestion.remedy(for: key, among: known)
            return decoder.error(
                "there is no parameter type '\(key)'; \(remedy)", at: entry.key.range)
        }
        guard
            let form = decoder.read(Form.self, from: entry.value, owner: key, at: entry.key.range)
        else { return nil }
        return ForceParameter(kind, form).checked(at: entry, with: decoder)
    }

    /// What to do about types that only Buildbot has.
    private static let remedies = [
        "util.UserNameParameter": "every form has the user's name; remove it",
        "util.CodebaseParameter": "every form has a branch and a revision; remove it",
        "util.NestedParameter": "list its fields without it",
        "util.AnyPropertyParameter": "list a parameter for each property",
        "util.FileParameter": "use util.TextParameter, into which a file can be pasted",
        "util.InheritBuildParameter": "list the properties to repeat, or rebuild the other build",
        "util.WorkerChoiceParameter": "limit the workers by 'workernames' of the builder",
    ]

    private init(_ kind: Kind, _ form: Form) {
        self.kind = kind
        name = form.name
        label = form.label
        fallback = form.fallback
        isRequired = form.required
        choices = form.choices
        isStrict = form.strict
    }

    private func checked(
        at entry: YAMLMapping.Entry, with decoder: SettingDecoder
    ) -> ForceParameter? {
        if kind == .choice, choices.isEmpty {
            return decoder.error(
                "the parameter '\(name)' needs 'choices', such as [debug, release]",
                at: entry.key.range)
        }
        if kind == .fixed, fallback == nil {
            return decoder.error(
                "the parameter '\(name)' needs a 'default', which is its value",
                at: entry.key.range)
        }
        if let fallback, let fault = fault(of: fallback) {
            return decoder.error(
                "the default of the parameter '\(name)' \(fault)",
                at: entry.value.mapping?["default"]?.range ?? entry.key.range)
        }
        return self
    }

    /// The types as keys, for schemas.
    private struct Types: Settings {
        @Setting("A text.", .named("util.StringParameter")) var string: Form?
        @Setting("A text of several lines.", .named("util.TextParameter")) var text: Form?
        @Setting("A whole number.", .named("util.IntParameter")) var int: Form?
        @Setting("True or false.", .named("util.BooleanParameter")) var bool: Form?
        @Setting("A fixed value.", .named("util.FixedParameter")) var fixed: Form?
        @Setting("One of several texts.", .named("util.ChoiceStringParameter")) var choice: Form?
    }

    private struct Form: Settings, SettingValue {
        @Setting("The name of the property.", .notEmpty) var name: String
        @Setting("A description for people.") var label: String?
        @Setting("The value if none is given.", .named("default")) var fallback: JSONValue?
        @Setting("A value must be given.") var required = false
        @Setting("The texts to choose from.") var choices: [String] = []
        @Setting("No other text than the choices is allowed.") var strict = true
    }

    // MARK: Values

    /// Why a value is not allowed, to follow the name of the parameter; `nil` if it is.
    package func fault(of value: JSONValue) -> String? {
        switch kind {
        case .fixed: nil
        case .string, .text: value.stringValue == nil ? "must be a text" : nil
        case .int: value.intValue == nil ? "must be a whole number" : nil
        case .bool:
            if case .bool = value { nil } else { "must be true or false" }
        case .choice:
            value.stringValue.map { !isStrict || choices.contains($0) } == true
                ? nil : "must be one of \(choices.joined(separator: ", "))"
        }
    }

    /// The value of a text given on the command line, or one of another type as it is.
    package func value(of given: JSONValue) -> JSONValue {
        guard let text = given.stringValue else { return given }
        switch kind {
        case .int: return Int(text).map { .int($0) } ?? given
        case .bool: return Bool(text).map { .bool($0) } ?? given
        case .string, .text, .fixed, .choice: return given
        }
    }
}
