/// A type whose properties marked ``Setting`` and ``SettingGroup`` are filled from a mapping.
///
/// Plugins are settings; so are groups of settings shared by several plugins, and mappings nested
/// in a setting.
public protocol Settings: Sendable {
    /// Creates a value whose settings have their defaults.
    init()

    /// Validates the settings together and adds diagnostics; has no other side effects.
    ///
    /// Called once for a plugin and once for its options, if every required setting has a value.
    /// Other settings may be invalid; these have their default here, and anything reported after
    /// one of them was read is discarded, so that one mistake does not cause further errors.
    func check(_ settings: SettingsCheck)
}

extension Settings {
    /// Reports nothing.
    public func check(_ settings: SettingsCheck) {}

    /// The settings of this value and its groups, in the order of their declaration.
    func settingFields() -> [SettingField] {
        Mirror(reflecting: self).children.flatMap { child -> [SettingField] in
            if let property = child.value as? any SettingProperty {
                let label = child.label ?? ""
                let name = label.hasPrefix("_") ? String(label.dropFirst()) : label
                let setting = property.setting
                return [
                    SettingField(declaration: setting.declaration(label: name), setting: setting)
                ]
            }
            guard let group = child.value as? any AnySettingGroup else { return [] }
            return group.settings.settingFields()
        }
    }

    /// The hint of this type for an unknown setting, or else that of one of its groups.
    static func firstHint(forUnknown name: String) -> String? {
        let own = (Self.self as? any SettingHints.Type)?.hint(forUnknown: name)
        if let own { return own }
        for case let group as any AnySettingGroup in Mirror(reflecting: Self()).children.map(
            \.value)
        {
            let type = type(of: group.settings)
            if let hint = type.firstHint(forUnknown: name) { return hint }
        }
        return nil
    }

    /// The settings of this type, for help, schemas and reference pages.
    package static var declarations: [SettingDeclaration] {
        Self().settingFields().map(\.declaration)
    }
}

/// A setting of a value with its name in files.
struct SettingField {
    let declaration: SettingDeclaration
    let setting: any AnySetting
}

/// The interface of a plugin's `check` to its settings and to diagnostics.
public final class SettingsCheck {
    private let decoder: SettingDecoder
    private let given: [String: YAMLNode]
    private let place: SourceRange?
    private let table: SettingTable
    /// Whether a setting was read whose value in the file is invalid.
    private var hasReadInvalid = false

    /// Creates a check.
    ///
    /// - Parameters:
    ///   - decoder: Collects the diagnostics.
    ///   - given: The key node of each setting, by the name used in the file.
    ///   - place: The location of the plugin's name.
    ///   - table: The settings that can be read.
    init(
        decoder: SettingDecoder, given: [String: YAMLNode], place: SourceRange?,
        table: SettingTable
    ) {
        self.decoder = decoder
        self.given = given
        self.place = place
        self.table = table
        _ = table.takeInvalidReads()
    }

    /// Whether a setting is given in the file, valid, invalid or unknown, by its name or as the
    /// single value of the plugin.
    ///
    /// An alias counts as a separate name here.
    public func isGiven(_ name: String) -> Bool { given[name] != nil }

    /// Adds an error at a setting, or at the plugin if the setting is not given.
    public func error(_ message: String, at setting: String) {
        error(message, at: range(of: setting))
    }

    /// Adds a warning at a setting, or at the plugin if the setting is not given.
    public func warning(_ message: String, at setting: String) {
        warning(message, at: range(of: setting))
    }

    /// Adds an error at a location inside a setting.
    public func error(_ message: String, at range: SourceRange?) {
        if mayReport { decoder.error(message, at: range ?? place) }
    }

    /// Adds a warning at a location inside a setting.
    public func warning(_ message: String, at range: SourceRange?) {
        if mayReport { decoder.warning(message, at: range ?? place) }
    }

    private var mayReport: Bool {
        hasReadInvalid = table.takeInvalidReads() || hasReadInvalid
        return !hasReadInvalid
    }

    private func range(of setting: String) -> SourceRange? {
        guard let key = given[setting] else { return place }
        return key.range ?? place
    }
}

extension SettingDecoder {
    /// Calls the `check` of each value whose required settings have a value.
    func check(
        _ values: [any Settings], in table: SettingTable, given: [String: YAMLNode],
        at place: SourceRange?
    ) {
        for (index, value) in values.enumerated() where table.isComplete(valueAt: index) {
            value.check(
                SettingsCheck(decoder: self, given: given, place: place, table: table))
        }
    }
}

/// All errors in a configuration, collected in one run.
public struct ConfigurationError: Error, CustomStringConvertible {
    /// The diagnostics, including warnings, in the order of their locations.
    public let diagnostics: [Diagnostic]

    /// Creates an error from diagnostics.
    package init(_ diagnostics: [Diagnostic]) {
        self.diagnostics = diagnostics
    }

    /// The messages, one per line.
    public var description: String {
        diagnostics.map(\.message).joined(separator: "\n")
    }
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
    init(types: [any Settings.Type], fields: [[SettingField]], recorded: [any AnySetting]) {
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
    func settings(among recorded: [any AnySetting]) -> [any AnySetting]? {
        guard recorded.count == recordedCount, positions.count == declarations.count
        else { return nil }
        return positions.map { recorded[$0] }
    }
}

/// The settings allowed in one mapping: those of a value, or of a step and its options.
struct SettingTable {
    let layout: SettingLayout
    private let settings: [any AnySetting]

    /// Finds the settings of the first values of their types by reflection, which gives the names.
    ///
    /// - Parameters:
    ///   - values: The values.
    ///   - recorded: The settings created while they were created.
    init(of values: [any Settings], recorded: [any AnySetting]) {
        let fields = Self.fields(of: values)
        layout = SettingLayout(
            types: values.map { type(of: $0) }, fields: fields, recorded: recorded)
        settings = fields.flatMap(\.self).map(\.setting)
    }

    /// The settings of each value, except those replaced by settings of preceding values.
    private static func fields(of values: [any Settings]) -> [[SettingField]] {
        var replaced: Set<String> = []
        return values.map { value in
            let fields = value.settingFields().filter { !replaced.contains($0.declaration.name) }
            replaced.formUnion(
                fields.filter { $0.setting.replacesOption }.map(\.declaration.name))
            return fields
        }
    }

    /// Finds the settings of values among those recorded while the values were created.
    init?(_ layout: SettingLayout, recorded: [any AnySetting]) {
        guard let settings = layout.settings(among: recorded) else { return nil }
        self.layout = layout
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
