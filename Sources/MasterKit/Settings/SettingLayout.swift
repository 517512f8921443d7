/// What all plugins of a type have in common: which settings there are, under which names.
struct SettingLayout {
    let types: [any Settings.Type]
    let declarations: [SettingDeclaration]
    /// The settings that must be given.
    let required: [SettingDeclaration]
    /// The setting that a lone value fills.
    let primary: SettingDeclaration?
    /// A name that two settings claim, which is a mistake in the source of a type.
    let doubledName: String?
    private let indices: [String: Int]
    /// Where the settings are among those that are recorded while the values are made.
    private let positions: [Int]
    private let recordedCount: Int

    init(
        types: [any Settings.Type], fields: [SettingField], recorded: [any AnySetting] = []
    ) {
        self.types = types
        declarations = fields.map(\.declaration)
        required = declarations.filter(\.isRequired)
        primary = declarations.first(where: \.isPrimary)
        var indices: [String: Int] = [:]
        var doubled: String?
        for (index, declaration) in declarations.enumerated() {
            for name in [declaration.name] + declaration.aliases {
                if indices[name] != nil { doubled = doubled ?? name }
                indices[name] = indices[name] ?? index
            }
        }
        self.indices = indices
        doubledName = doubled
        positions = fields.compactMap { field in
            recorded.firstIndex { $0 === field.setting }
        }
        recordedCount = recorded.count
    }

    /// The index of the setting with a name or an alias.
    func index(of name: String) -> Int? { indices[name] }

    /// The settings of other values of the types, `nil` when these were made in another way.
    func settings(among recorded: [any AnySetting]) -> [any AnySetting]? {
        guard recorded.count == recordedCount, positions.count == declarations.count
        else { return nil }
        return positions.map { recorded[$0] }
    }
}

/// The settings that one mapping may name: those of a value, or of a step and its options.
struct SettingTable {
    let layout: SettingLayout
    private let settings: [any AnySetting]

    /// Looks for the settings of values by reflection.
    init(of values: [any Settings], recorded: [any AnySetting] = []) {
        let fields = values.flatMap { $0.settingFields() }
        layout = SettingLayout(
            types: values.map { type(of: $0) }, fields: fields, recorded: recorded)
        settings = fields.map(\.setting)
    }

    /// Finds the settings of values among those that were recorded while the values were made.
    init?(_ layout: SettingLayout, recorded: [any AnySetting]) {
        guard let settings = layout.settings(among: recorded) else { return nil }
        self.layout = layout
        self.settings = settings
    }

    /// The setting with a name or an alias.
    func field(named name: String) -> SettingField? {
        layout.index(of: name).map {
            SettingField(declaration: layout.declarations[$0], setting: settings[$0])
        }
    }
}
