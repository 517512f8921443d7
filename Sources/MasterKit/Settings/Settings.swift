/// A type whose properties marked ``Setting`` and ``SettingGroup`` are filled from a mapping.
///
/// Plugins are settings; so are groups of settings shared by several plugins, and mappings nested
/// in a setting.
public protocol Settings: Sendable {
    /// Creates a value whose settings have their defaults.
    init()

    /// Validates the settings together and adds diagnostics; has no other side effects.
    ///
    /// Called once for a plugin, once for its options and once for each of its groups, if every
    /// required setting has a value.
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

/// The interface of a plugin's `check` to its settings and to diagnostics.
public final class SettingsCheck {
    private let decoder: SettingDecoder
    private let given: [String: YAMLMapping.Entry]
    private let place: SourceRange?
    private let table: SettingTable?
    /// Whether a setting was read whose value in the file is invalid.
    private var hasReadInvalid = false

    /// Creates a check.
    ///
    /// - Parameters:
    ///   - decoder: Collects the diagnostics.
    ///   - given: The settings that are given, by the name used in the file.
    ///   - place: The location of the plugin's name.
    ///   - table: The settings that can be read, if one of them may be invalid.
    init(
        decoder: SettingDecoder, given: [String: YAMLMapping.Entry], place: SourceRange?,
        table: SettingTable?
    ) {
        self.decoder = decoder
        self.given = given
        self.place = place
        self.table = table
        _ = table?.takeInvalidReads()
    }

    /// Whether a setting is given in the file, valid, invalid or unknown, by its name or as the
    /// single value of the plugin.
    ///
    /// An alias counts as a separate name here.
    public func isGiven(_ name: String) -> Bool { given[name] != nil }

    /// Adds an error at the value of a setting, or at the plugin if the setting is not given.
    public func error(_ message: String, at setting: String) {
        error(message, at: given[setting]?.value.range)
    }

    /// Adds a warning at the name of a setting, or at the plugin if the setting is not given.
    public func warning(_ message: String, at setting: String) {
        warning(message, at: given[setting]?.key.range)
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
        hasReadInvalid = table?.takeInvalidReads() == true || hasReadInvalid
        return !hasReadInvalid
    }

}

extension SettingDecoder {
    /// Calls the `check` of each value whose required settings have a value, and of their groups.
    func check(
        _ values: [any Settings], in table: SettingTable, filled: Filled, at place: SourceRange?
    ) {
        let complete = values.indices.filter { table.isComplete(valueAt: $0) }
        let groups = complete.count == values.count ? table.groups : []
        for value in complete.map({ values[$0] }) + groups {
            value.check(
                SettingsCheck(
                    decoder: self, given: filled.given, place: place,
                    table: filled.isValid ? nil : table))
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

/// Includes the settings of another type in a plugin's own, so that several plugins can share them.
@propertyWrapper
public struct SettingGroup<Group: Settings>: Sendable {
    /// The group with its configured settings.
    public let wrappedValue: Group

    /// Declares a group with its defaults.
    public init() {
        self.init(wrappedValue: Group())
    }

    /// Declares a group with other defaults than its own.
    public init(wrappedValue: Group) {
        self.wrappedValue = wrappedValue
        SettingRecorder.note(wrappedValue)
    }
}

/// A type-erased group, for the decoder.
protocol AnySettingGroup: Sendable {
    var settings: any Settings { get }
}

extension SettingGroup: AnySettingGroup {
    var settings: any Settings { wrappedValue }
}

/// What is known about a setting from its declaration alone.
package struct SettingDeclaration: Sendable {
    /// The name in master.yaml.
    package let name: String
    /// Alternative spellings.
    package let aliases: [String]
    /// What the setting does, in one sentence.
    package let summary: String
    /// The accepted values, for example `a duration such as 30s or 5m`.
    package let shape: String
    /// Whether a single value is accepted in place of the whole mapping.
    package let isPrimary: Bool
    /// Whether the value is masked where settings are shown.
    package let isSecret: Bool
    /// Whether the setting is required.
    package let isRequired: Bool
    /// Whether the setting takes the place of a common option with the same name.
    package let replacesOption: Bool
}
