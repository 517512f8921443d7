/// A codebase whose source a person can choose who forces a build.
///
/// In a file it is its name, or as in Buildbot
/// `util.CodebaseParameter: {codebase: app, repository: …}`.
public struct ForceCodebase: SettingValue {
    /// The fields `branch`, `project`, `repository` and `revision`; a nested parameter that has the
    /// name of the codebase.
    package let fields: ForceParameter

    /// The name; empty for the only one of most builds.
    public var name: String { fields.name }

    /// A description of the accepted values, for error messages.
    public static var shape: String {
        "the name of a codebase, or util.CodebaseParameter: {codebase: app}"
    }

    /// A name, or a mapping from the type to its settings.
    public static var form: ValueForm { .either([.text, .settings(Keyed.self)]) }

    /// Creates a codebase with a text for each field.
    init(_ name: String, _ form: Form = Form()) {
        var fields = ForceParameter(.nested, name, label: form.label)
        fields.columns = 2
        fields.fields = [
            ("branch", form.branch), ("project", form.project), ("repository", form.repository),
            ("revision", form.revision),
        ].map { name, field in
            var field = field?.parameter(named: name) ?? ForceParameter(.string, name)
            field.label = field.label ?? name.prefix(1).uppercased() + name.dropFirst() + ":"
            return field
        }
        self.fields = fields
    }

    /// The only codebase of most builds, which has no name.
    public static let unnamed = ForceCodebase("")

    /// Reads a name, or a mapping from the type to its settings.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ForceCodebase? {
        guard node.mapping != nil else {
            return decoder.decode(String.self, from: node).map { ForceCodebase($0) }
        }
        guard let keyed = decoder.read(Keyed.self, from: node, owner: "a codebase", at: node.range)
        else { return nil }
        guard let form = keyed.form else { return decoder.mismatch(node, expected: shape) }
        return ForceCodebase(form.codebase, form)
    }

    /// The source that the values of the fields describe.
    func stamp(_ value: (ForceParameter) -> String?) -> SourceStamp {
        var texts: [String: String] = [:]
        for field in fields.fields { texts[field.name] = value(field) }
        func text(_ name: String) -> String? { texts[name].flatMap { $0.isEmpty ? nil : $0 } }
        return SourceStamp(
            branch: text("branch"), revision: text("revision"),
            repository: text("repository") ?? "", project: text("project") ?? "",
            codebase: name)
    }

    struct Keyed: Settings {
        @Setting("A codebase.", .named("util.CodebaseParameter")) var form: Form?
    }

    struct Form: Settings, SettingValue {
        @Setting("The name of the codebase.") var codebase = ""
        @Setting("A description for people.") var label: String?
        @Setting("The branch: a parameter, or a fixed text.") var branch: ForceField?
        @Setting("The project, as 'branch'.") var project: ForceField?
        @Setting("The repository, as 'branch'.") var repository: ForceField?
        @Setting("The revision, as 'branch'.") var revision: ForceField?
    }
}

/// A field of a form that has a name by its place: a parameter, or a fixed text.
public struct ForceField: SettingValue {
    private let parameter: ForceParameter

    /// A description of the accepted values, for error messages.
    public static var shape: String { "a text, or \(ForceParameter.shape)" }

    /// A text, or a mapping from a type of parameters to its settings.
    public static var form: ValueForm {
        .either([.text, .settings(SimpleParameterTypes<PlacedParameter>.self)])
    }

    /// Reads a text, or a mapping from a type of parameters to its settings.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ForceField? {
        guard node.mapping == nil else {
            let parameter = ForceParameter.decode(node, with: decoder, PlacedParameter.self)
            guard parameter?.kind != .nested else {
                return decoder.mismatch(node, expected: shape)
            }
            return parameter.map(ForceField.init)
        }
        guard let text = decoder.decode(String.self, from: node) else { return nil }
        var parameter = ForceParameter(.fixed, "")
        parameter.fallback = .string(text)
        return ForceField(parameter: parameter)
    }

    /// Makes the field.
    ///
    /// - Parameter name: The name by its place.
    /// - Returns: The parameter of that name.
    public func parameter(named name: String) -> ForceParameter {
        var parameter = parameter
        parameter.name = name
        return parameter
    }
}
