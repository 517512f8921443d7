/// The types of parameters as keys, with their settings.
struct ForceParameterTypes: Settings {
    @SettingGroup var simple: SimpleParameterTypes<NamedParameter>
    @Setting("The worker that is to run the builds.", .named("util.WorkerChoiceParameter"))
    var worker: WorkerForm?
    @Setting("Several parameters.", .named("util.NestedParameter")) var nested: NestedParameterForm?
}

/// The types of parameters that have one value, as keys.
struct SimpleParameterTypes<Common: CommonParameterSettings>: Settings {
    @Setting("A line of text.", .named("util.StringParameter")) var string: LineForm<Common>?
    @Setting("A text of several lines.", .named("util.TextParameter")) var text: TextForm<Common>?
    @Setting("A whole number.", .named("util.IntParameter")) var int: IntForm<Common>?
    @Setting("True or false.", .named("util.BooleanParameter")) var bool: BoolForm<Common>?
    @Setting("One or more of several texts.", .named("util.ChoiceStringParameter"))
    var choice: ChoiceForm<Common>?
    @Setting("The name of a person.", .named("util.UserNameParameter")) var user: UserForm<Common>?
    @Setting("The content of a text file.", .named("util.FileParameter")) var file:
        FileForm<Common>?
    @Setting("A fixed value.", .named("util.FixedParameter")) var fixed: FixedForm<Common>?

    /// Reads the settings of a type; none are those of a nested one.
    static func read(
        _ kind: ForceParameter.Kind, from node: YAMLNode, with decoder: SettingDecoder,
        owner: String, at place: SourceRange?
    ) -> ForceParameter? {
        func form<Form: ParameterForm>(_ type: Form.Type) -> ForceParameter? {
            decoder.read(type, from: node, owner: owner, at: place)?.parameter(kind)
        }
        switch kind {
        case .string: return form(LineForm<Common>.self)
        case .text: return form(TextForm<Common>.self)
        case .int: return form(IntForm<Common>.self)
        case .bool: return form(BoolForm<Common>.self)
        case .choice: return form(ChoiceForm<Common>.self)
        case .user: return form(UserForm<Common>.self)
        case .file: return form(FileForm<Common>.self)
        case .fixed: return form(FixedForm<Common>.self)
        case .worker, .nested: return nil
        }
    }
}

/// The settings that all types of parameters have.
protocol CommonParameterSettings: Settings {
    /// The name; empty if there is none.
    var parameterName: String { get }
    var label: String? { get }
    var tooltip: String? { get }
    var required: Bool { get }
}

/// Those of a parameter in a list.
struct NamedParameter: CommonParameterSettings {
    @Setting("The name of the property.", .notEmpty) var name: String
    @Setting("A description for people.") var label: String?
    @Setting("An explanation for people, shown with the field.") var tooltip: String?
    @Setting("A value must be given.") var required = false

    var parameterName: String { name }
}

/// Those of a parameter that has a name by its place.
struct PlacedParameter: CommonParameterSettings, SettingHints {
    @Setting("A description for people.") var label: String?
    @Setting("An explanation for people, shown with the field.") var tooltip: String?
    @Setting("A value must be given.") var required = false

    var parameterName: String { "" }

    static func hint(forUnknown name: String) -> String? {
        name == "name" ? "it has the name of the setting that it is in; remove it" : nil
    }
}

/// Those of a parameter that chooses a worker.
struct WorkerParameter: CommonParameterSettings, SettingHints {
    @Setting("A description for people.") var label: String? = "Worker"
    @Setting("An explanation for people, shown with the field.") var tooltip: String?
    @Setting("A worker must be chosen.") var required = false

    var parameterName: String { ForceParameter.workerName }

    static func hint(forUnknown name: String) -> String? {
        name == "name" ? "the property is always 'workername'; remove it" : nil
    }
}

/// Those of a nested parameter.
struct GroupParameter: CommonParameterSettings {
    @Setting("The name of the property that has the values; by default each is a property.")
    var name: String?
    @Setting("A description for people.") var label: String?
    @Setting("An explanation for people, shown with the field.") var tooltip: String?

    var parameterName: String { name ?? "" }
    var required: Bool { false }
}

/// The settings of a type of parameters.
protocol ParameterForm: Settings, SettingValue {
    associatedtype Common: CommonParameterSettings

    var common: Common { get }

    func fill(_ parameter: inout ForceParameter)
}

extension ParameterForm {
    /// The parameter with these settings.
    func parameter(_ kind: ForceParameter.Kind) -> ForceParameter {
        var parameter = ForceParameter(kind, common.parameterName, label: common.label)
        parameter.tooltip = common.tooltip
        parameter.isRequired = common.required
        fill(&parameter)
        return parameter
    }
}

struct LineForm<Common: CommonParameterSettings>: ParameterForm {
    @SettingGroup var common: Common
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

struct TextForm<Common: CommonParameterSettings>: ParameterForm {
    @SettingGroup var common: Common
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

struct IntForm<Common: CommonParameterSettings>: ParameterForm {
    @SettingGroup var common: Common
    @Setting("The value if none is given.", .named("default")) var fallback: JSONValue?
    @Setting("The width of the field, in letters.", .within(1...1000)) var size = 10

    func fill(_ parameter: inout ForceParameter) {
        parameter.fallback = fallback
        parameter.size = (size, 1)
    }
}

struct BoolForm<Common: CommonParameterSettings>: ParameterForm {
    @SettingGroup var common: Common
    @Setting("The value if none is given.", .named("default")) var fallback: JSONValue?

    func fill(_ parameter: inout ForceParameter) { parameter.fallback = fallback }
}

struct ChoiceForm<Common: CommonParameterSettings>: ParameterForm {
    @SettingGroup var common: Common
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

struct UserForm<Common: CommonParameterSettings>: ParameterForm {
    @SettingGroup var common: Common
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

struct FileForm<Common: CommonParameterSettings>: ParameterForm {
    @SettingGroup var common: Common
    @Setting("The most bytes of the file.", .within(1...131_072)) var maxsize = 65_536

    func fill(_ parameter: inout ForceParameter) { parameter.byteLimit = maxsize }
}

struct FixedForm<Common: CommonParameterSettings>: ParameterForm {
    @SettingGroup var common: Common
    @Setting("The value.", .named("default")) var fallback: JSONValue?

    func fill(_ parameter: inout ForceParameter) { parameter.fallback = fallback }
}

struct WorkerForm: ParameterForm {
    @SettingGroup var common: WorkerParameter

    func fill(_ parameter: inout ForceParameter) {}
}

struct NestedParameterForm: ParameterForm {
    @SettingGroup var common: GroupParameter
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
