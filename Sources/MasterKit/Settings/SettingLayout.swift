/// A setting of a value with its name in files.
struct SettingField {
    let declaration: SettingDeclaration
    let setting: SettingSlot
}

/// The layout common to all plugins of a type: which settings exist, under which names.
struct SettingLayout {
    let types: [any Settings.Type]
    let declarations: [SettingDeclaration]
    /// The required settings.
    let required: [SettingDeclaration]
    /// The setting that a single value sets.
    let primary: SettingDeclaration?
    /// A name used by two settings, which is a programming error.
    let duplicateName: String?
    /// The indices of the required settings, for each type.
    let requiredOfTypes: [[Int]]
    private let indices: [String: Int]
    /// The indices of the settings among those recorded while the values were created.
    private let positions: [Int]
    private let recordedCount: Int

    /// Creates a layout.
    ///
    /// - Parameters:
    ///   - types: The types.
    ///   - fields: The settings of each type.
    ///   - recorded: The settings created while values of the types were created.
    init(types: [any Settings.Type], fields: [[SettingField]], recorded: [SettingSlot]) {
        self.types = types
        var count = 0
        requiredOfTypes = fields.map { fields in
            defer { count += fields.count }
            return fields.indices.filter { fields[$0].declaration.isRequired }.map { count + $0 }
        }
        let fields = fields.flatMap(\.self)
        declarations = fields.map(\.declaration)
        required = declarations.filter(\.isRequired)
        primary = declarations.first(where: \.isPrimary)
        var indices: [String: Int] = [:]
        var duplicate: String?
        for (index, declaration) in declarations.enumerated() {
            for name in [declaration.name] + declaration.aliases {
                if indices[name] != nil { duplicate = duplicate ?? name }
                indices[name] = indices[name] ?? index
            }
        }
        self.indices = indices
        duplicateName = duplicate
        positions = fields.compactMap { field in
            recorded.firstIndex { $0 === field.setting }
        }
        recordedCount = recorded.count
    }

    /// The index of the setting with a name or an alias.
    func index(of name: String) -> Int? { indices[name] }

    /// The settings of other values of the types, or `nil` if these were created differently.
    func settings(among recorded: [SettingSlot]) -> [SettingSlot]? {
        guard recorded.count == recordedCount, positions.count == declarations.count
        else { return nil }
        return positions.map { recorded[$0] }
    }
}

/// The settings allowed in one mapping: those of a value, or of a step and its options.
struct SettingTable {
    let layout: SettingLayout
    /// The groups in the values.
    let groups: [any Settings]
    private let settings: [SettingSlot]

    /// Finds the settings of the first values of their types by reflection, which gives the names.
    ///
    /// - Parameters:
    ///   - values: The values.
    ///   - recorded: What was created while they were created.
    init(of values: [any Settings], recorded: SettingRecorder.Recorded) {
        let fields = Self.fields(of: values)
        layout = SettingLayout(
            types: values.map { type(of: $0) }, fields: fields, recorded: recorded.settings)
        groups = recorded.groups
        settings = fields.flatMap(\.self).map(\.setting)
    }

    /// The settings of each value, except those replaced by settings of preceding values.
    static func fields(of values: [any Settings]) -> [[SettingField]] {
        var replaced: Set<String> = []
        return values.map { value in
            let fields = value.settingFields().filter { !replaced.contains($0.declaration.name) }
            replaced.formUnion(
                fields.filter { $0.setting.replacesOption }.map(\.declaration.name))
            return fields
        }
    }

    /// Finds the settings of values among those recorded while the values were created.
    init?(_ layout: SettingLayout, recorded: SettingRecorder.Recorded) {
        guard let settings = layout.settings(among: recorded.settings) else { return nil }
        self.layout = layout
        groups = recorded.groups
        self.settings = settings
    }

    /// Whether every required setting of one of the values has a value.
    func isComplete(valueAt index: Int) -> Bool {
        layout.requiredOfTypes[index].allSatisfy { settings[$0].hasValue }
    }

    /// Whether a setting was read, although its value in the file is invalid, since the last call.
    func takeInvalidReads() -> Bool {
        settings.reduce(false) { $1.takeInvalidRead() || $0 }
    }

    /// The setting with a name or an alias.
    func field(named name: String) -> SettingField? {
        layout.index(of: name).map {
            SettingField(declaration: layout.declarations[$0], setting: settings[$0])
        }
    }
}
