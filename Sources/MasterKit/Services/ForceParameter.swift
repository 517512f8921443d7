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
        /// The worker that is to run the builds.
        case worker = "WorkerChoiceParameter"
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
    /// An explanation for people.
    public internal(set) var tooltip: String?
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

    /// A copy that offers workers if it is one of them that is chosen.
    ///
    /// - Parameter names: Returns their names, perhaps several times.
    /// - Returns: The copy.
    func offering(workers names: () -> [String]) -> ForceParameter {
        var copy = self
        switch kind {
        case .worker:
            copy.choices = isRequired ? [] : [Self.anyWorker]
            for name in names() where !copy.choices.contains(name) { copy.choices.append(name) }
        case .nested: copy.fields = fields.map { $0.offering(workers: names) }
        default: break
        }
        return copy
    }

    /// The name of the property that has the chosen worker.
    static let workerName = "workername"
    /// The choice of any worker.
    package static let anyWorker = "-any-"

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
        decode(node, with: decoder, NamedParameter.self)
    }

    /// Reads a mapping from the type to its settings, of which some are common to all types.
    static func decode<Common: CommonParameterSettings>(
        _ node: YAMLNode, with decoder: SettingDecoder, _ common: Common.Type
    ) -> ForceParameter? {
        guard let mapping = node.mapping, mapping.entries.count == 1,
            let entry = mapping.entries.first, let key = entry.key.scalarText
        else { return decoder.mismatch(node, expected: shape) }
        guard key.hasPrefix(prefix), let kind = Kind(rawValue: String(key.dropFirst(5))) else {
            let known = Kind.allCases.map { prefix + $0.rawValue }
            // Also 'forcesched.StringParameter', or the name alone.
            let plain = prefix + (key.split(separator: ".").last ?? "")
            let remedy =
                remedies[plain] ?? Suggestion.remedy(for: plain, among: known, all: known)
            return decoder.error(
                "there is no parameter type '\(key)'; \(remedy)", at: entry.key.range)
        }
        let parameter: ForceParameter?
        switch kind {
        case .nested:
            parameter = decoder.read(
                NestedParameterForm.self, from: entry.value, owner: key, at: entry.key.range
            )?.parameter(kind)
        case .worker:
            parameter = decoder.read(
                WorkerForm.self, from: entry.value, owner: key, at: entry.key.range
            )?.parameter(kind)
        default:
            parameter = SimpleParameterTypes<Common>.read(
                kind, from: entry.value, with: decoder, owner: key, at: entry.key.range)
        }
        return parameter?.checked(at: entry, with: decoder)
    }

    /// What to do about types that only Buildbot has.
    private static let remedies = [
        "util.CodebaseParameter": "list it in 'codebases'",
        "util.PatchParameter": "commit the patch to a branch, and build that",
        "util.AnyPropertyParameter": "list a parameter for each property",
        "util.InheritBuildParameter": "list the properties to repeat, or rebuild the other build",
        "util.BuildslaveChoiceParameter": "limit the workers by 'workernames' of the builder",
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
        if kind == .nested, !name.isEmpty, leaves.contains(where: { $0.parameter.kind == .worker })
        {
            return decoder.error(
                "a worker can't be chosen within \(subject), as its values are one property; remove "
                    + "its 'name', or list util.WorkerChoiceParameter beside it",
                at: entry.key.range)
        }
        return self
    }
}
