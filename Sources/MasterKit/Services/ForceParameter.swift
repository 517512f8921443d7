/// What a person can set who forces a build: its type, default and allowed values.
///
/// In a file it is written as in Buildbot: `util.IntParameter: {name: jobs, default: 2}`.
public struct ForceParameter: SettingValue {
    /// The type of a parameter.
    public enum Kind: String, Sendable, CaseIterable {
        /// A line of text.
        case string = "StringParameter"
        /// A text of several lines.
        case text = "TextParameter"
        /// A whole number.
        case int = "IntParameter"
        /// True or false.
        case bool = "BooleanParameter"
        /// One or more of several texts.
        case choice = "ChoiceStringParameter"
        /// The name of a person, perhaps with a mail address.
        case user = "UserNameParameter"
        /// The content of a text file.
        case file = "FileParameter"
        /// A value that nobody can change.
        case fixed = "FixedParameter"
        /// Several parameters, whose values are one property if it has a name.
        case nested = "NestedParameter"
    }

    /// How the fields of a nested parameter stand on Buildbot's own page.
    public enum Layout: String, SettingEnumeration {
        /// One below another.
        case vertical
        /// Without a frame.
        case simple
        /// Each behind a tab.
        case tabs
    }

    /// The type.
    public let kind: Kind
    /// The name of the property; empty for a nested parameter without one.
    public internal(set) var name: String
    /// A description for people.
    public internal(set) var label: String?
    /// The value if none is given.
    public internal(set) var fallback: JSONValue?
    /// Whether a value must be given.
    public internal(set) var isRequired = false
    /// What the beginning of a text must match.
    public internal(set) var pattern: Pattern?
    /// The most bytes of a text.
    public internal(set) var byteLimit: Int?
    /// The texts to choose from.
    public internal(set) var choices: [String] = []
    /// Whether no other text is allowed.
    public internal(set) var isStrict = true
    /// Whether several texts can be chosen; the property is then a list.
    public internal(set) var isMultiple = false
    /// Whether the name of a person must have a mail address.
    public internal(set) var needsAddress = false
    /// The parameters of a nested one.
    public internal(set) var fields: [ForceParameter] = []
    /// How the fields stand.
    public internal(set) var layout = Layout.vertical
    /// The number of columns in which the fields stand; `nil` for one that fits their number.
    public internal(set) var columns: Int?
    /// The size of a field on a page, in letters and lines.
    public internal(set) var size: (columns: Int, rows: Int)?

    /// Creates a parameter without a default.
    package init(_ kind: Kind, _ name: String, label: String? = nil) {
        self.kind = kind
        self.name = name
        self.label = label
    }

    /// The parameters that have values by their keys in a form: itself, or the fields in it.
    public var leaves: [(key: String, parameter: ForceParameter)] {
        guard kind == .nested else { return [(name, self)] }
        return fields.flatMap { field in
            var inner = field
            inner.name = fullName(of: field)
            return inner.leaves
        }
    }

    /// The key of a field of this parameter in a form: `deploy_host` in `deploy`.
    package func fullName(of field: ForceParameter) -> String {
        name.isEmpty ? field.name : "\(name)_\(field.name)"
    }
}

// MARK: In a file

extension ForceParameter {
    private static let prefix = "util."

    /// A description of the accepted values, for error messages.
    public static var shape: String {
        "a parameter such as util.StringParameter: {name: version}"
    }

    /// A mapping from a type to its settings.
    public static var form: ValueForm { .settings(ForceParameterTypes.self) }

    /// Reads a mapping from the type to its settings.
    public static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> ForceParameter? {
        decode(node, with: decoder, named: nil)
    }

    /// Reads a mapping from the type to its settings; the name, if it has one by its place, is not
    /// in it.
    static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder, named name: String?
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
            var parameter = ForceParameterTypes.read(kind, entry.value, owner: key, decoder, entry)
        else { return nil }
        if let name {
            parameter.name = name
        } else if parameter.name.isEmpty, kind != .nested {
            return decoder.error(
                "\(key) needs 'name', that of the property", at: entry.key.range)
        }
        return parameter.checked(at: entry, with: decoder)
    }

    /// What to do about types that only Buildbot has.
    private static let remedies = [
        "util.CodebaseParameter": "list it in 'codebases'",
        "util.PatchParameter": "commit the patch to a branch, and build that",
        "util.AnyPropertyParameter": "list a parameter for each property",
        "util.InheritBuildParameter": "list the properties to repeat, or rebuild the other build",
        "util.WorkerChoiceParameter": "limit the workers by 'workernames' of the builder",
    ]

    private func checked(
        at entry: YAMLMapping.Entry, with decoder: SettingDecoder
    ) -> ForceParameter? {
        let subject =
            name.isEmpty ? "the nested parameter" : "the parameter '\(name)'"
        func place(_ setting: String) -> SourceRange? {
            entry.value.mapping?[setting]?.range ?? entry.key.range
        }
        if kind == .choice, choices.isEmpty {
            return decoder.error(
                "\(subject) needs 'choices', such as [debug, release]", at: entry.key.range)
        }
        if kind == .fixed, fallback == nil {
            return decoder.error(
                "\(subject) needs a 'default', which is its value", at: entry.key.range)
        }
        if kind == .nested, fields.isEmpty {
            return decoder.error(
                "\(subject) needs 'fields', a list of parameters", at: entry.key.range)
        }
        if let fallback, let fault = fault(of: fallback) {
            return decoder.error("the default of \(subject) \(fault)", at: place("default"))
        }
        return self
    }
}

/// The types of parameters as keys, with their settings.
struct ForceParameterTypes: Settings {
    @Setting("A line of text.", .named("util.StringParameter")) var string: LineForm?
    @Setting("A text of several lines.", .named("util.TextParameter")) var text: TextForm?
    @Setting("A whole number.", .named("util.IntParameter")) var int: IntForm?
    @Setting("True or false.", .named("util.BooleanParameter")) var bool: BoolForm?
    @Setting("One or more of several texts.", .named("util.ChoiceStringParameter"))
    var choice: ChoiceForm?
    @Setting("The name of a person.", .named("util.UserNameParameter")) var user: UserForm?
    @Setting("The content of a text file.", .named("util.FileParameter")) var file: FileForm?
    @Setting("A fixed value.", .named("util.FixedParameter")) var fixed: FixedForm?
    @Setting("Several parameters.", .named("util.NestedParameter")) var nested: NestedForm?

    /// Reads the settings of a type.
    static func read(
        _ kind: ForceParameter.Kind, _ node: YAMLNode, owner: String, _ decoder: SettingDecoder,
        _ entry: YAMLMapping.Entry
    ) -> ForceParameter? {
        func form<Form: ForceParameterForm>(_ type: Form.Type) -> ForceParameter? {
            guard let form = decoder.read(type, from: node, owner: owner, at: entry.key.range)
            else { return nil }
            var parameter = ForceParameter(kind, form.common.name ?? "", label: form.common.label)
            parameter.isRequired = form.common.required
            form.fill(&parameter)
            return parameter
        }
        switch kind {
        case .string: return form(LineForm.self)
        case .text: return form(TextForm.self)
        case .int: return form(IntForm.self)
        case .bool: return form(BoolForm.self)
        case .choice: return form(ChoiceForm.self)
        case .user: return form(UserForm.self)
        case .file: return form(FileForm.self)
        case .fixed: return form(FixedForm.self)
        case .nested: return form(NestedForm.self)
        }
    }
}

/// The settings of a type of parameters.
protocol ForceParameterForm: Settings, SettingValue {
    var common: ForceParameterCommon { get }

    func fill(_ parameter: inout ForceParameter)
}

/// The settings that all types have.
struct ForceParameterCommon: Settings {
    @Setting("The name of the property.", .notEmpty) var name: String?
    @Setting("A description for people.") var label: String?
    @Setting("A value must be given.") var required = false
}

extension ForceParameterTypes {
    struct LineForm: ForceParameterForm {
        @SettingGroup var common: ForceParameterCommon
        @Setting("The value if none is given.", .named("default")) var fallback: String?
        @Setting("A regular expression that the beginning of a value must match.")
        var regex: Pattern?
        @Setting("The most bytes of a value.", .within(1...1_048_576)) var maxsize: Int?
        @Setting("The width of the field, in letters.", .within(1...1000)) var size = 10

        func fill(_ parameter: inout ForceParameter) {
            parameter.fallback = fallback.map { .string($0) }
            parameter.pattern = regex
            parameter.byteLimit = maxsize
            parameter.size = (size, 1)
        }
    }

    struct TextForm: ForceParameterForm {
        @SettingGroup var common: ForceParameterCommon
        @Setting("The value if none is given.", .named("default")) var fallback: String?
        @Setting("A regular expression that the beginning of a value must match.")
        var regex: Pattern?
        @Setting("The most bytes of a value.", .within(1...1_048_576)) var maxsize: Int?
        @Setting("The width of the field, in letters.", .within(1...1000)) var cols = 80
        @Setting("The height of the field, in lines.", .within(1...1000)) var rows = 20

        func fill(_ parameter: inout ForceParameter) {
            parameter.fallback = fallback.map { .string($0) }
            parameter.pattern = regex
            parameter.byteLimit = maxsize
            parameter.size = (cols, rows)
        }
    }

    struct IntForm: ForceParameterForm {
        @SettingGroup var common: ForceParameterCommon
        @Setting("The value if none is given.", .named("default")) var fallback: JSONValue?
        @Setting("The width of the field, in letters.", .within(1...1000)) var size = 10

        func fill(_ parameter: inout ForceParameter) {
            parameter.fallback = fallback
            parameter.size = (size, 1)
        }
    }

    struct BoolForm: ForceParameterForm {
        @SettingGroup var common: ForceParameterCommon
        @Setting("The value if none is given.", .named("default")) var fallback: JSONValue?

        func fill(_ parameter: inout ForceParameter) { parameter.fallback = fallback }
    }

    struct ChoiceForm: ForceParameterForm {
        @SettingGroup var common: ForceParameterCommon
        @Setting("The value if none is given; a list with 'multiple'.", .named("default"))
        var fallback: JSONValue?
        @Setting("The texts to choose from.") var choices: [String] = []
        @Setting("No other text than the choices is allowed.") var strict = true
        @Setting("Several texts can be chosen; the property is a list.") var multiple = false

        func fill(_ parameter: inout ForceParameter) {
            parameter.fallback = fallback
            parameter.choices = choices
            parameter.isStrict = strict
            parameter.isMultiple = multiple
        }
    }

    struct UserForm: ForceParameterForm {
        @SettingGroup var common: ForceParameterCommon
        @Setting("The value if none is given.", .named("default")) var fallback: String?
        @Setting(
            "The name must have a mail address, such as Ann <ann@example.org>.",
            .named("need_email"))
        var needsAddress = true
        @Setting("The width of the field, in letters.", .within(1...1000)) var size = 30

        func fill(_ parameter: inout ForceParameter) {
            parameter.fallback = fallback.map { .string($0) }
            parameter.needsAddress = needsAddress
            parameter.size = (size, 1)
        }
    }

    struct FileForm: ForceParameterForm {
        @SettingGroup var common: ForceParameterCommon
        @Setting("The most bytes of the file.", .within(1...262_144)) var maxsize = 131_072

        func fill(_ parameter: inout ForceParameter) { parameter.byteLimit = maxsize }
    }

    struct FixedForm: ForceParameterForm {
        @SettingGroup var common: ForceParameterCommon
        @Setting("The value.", .named("default")) var fallback: JSONValue?

        func fill(_ parameter: inout ForceParameter) { parameter.fallback = fallback }
    }

    struct NestedForm: ForceParameterForm {
        @SettingGroup var common: ForceParameterCommon
        @Setting("The parameters.") var fields: [ForceParameter] = []
        @Setting("How the fields stand on Buildbot's own page.")
        var layout = ForceParameter.Layout.vertical
        @Setting("The number of columns in which the fields stand.", .within(1...12))
        var columns: Int?

        func fill(_ parameter: inout ForceParameter) {
            parameter.fields = fields
            parameter.layout = layout
            parameter.columns = columns
        }
    }
}
