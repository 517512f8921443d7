/// A type whose properties marked ``Setting`` and ``SettingGroup`` are filled from a mapping.
///
/// Plugins are settings; so are groups of settings that several plugins share, and mappings
/// nested in a setting.
public protocol Settings: Sendable {
    /// Makes a value whose settings have their defaults.
    init()

    /// Looks at the settings together and adds diagnostics; touches nothing outside.
    ///
    /// Called once for a plugin and its options, after every setting was read without an error.
    func check(_ settings: SettingsCheck)
}

extension Settings {
    /// Finds nothing wrong.
    public func check(_ settings: SettingsCheck) {}

    /// The settings of this value, with those of its groups, in the order of their declaration.
    func settingFields() -> [SettingField] {
        Mirror(reflecting: self).children.flatMap { child -> [SettingField] in
            if let property = child.value as? any SettingProperty {
                let label = child.label.map { String($0.trimmingPrefix("_")) } ?? ""
                let setting = property.setting
                return [
                    SettingField(declaration: setting.declaration(label: label), setting: setting)
                ]
            }
            guard let group = child.value as? any AnySettingGroup else { return [] }
            return group.settings.settingFields()
        }
    }

    /// What the settings of this type are, for help, schemas and reference pages.
    public static var declarations: [SettingDeclaration] {
        Self().settingFields().map(\.declaration)
    }
}

/// One setting of a value under the name it has in files.
struct SettingField {
    let declaration: SettingDeclaration
    let setting: any AnySetting
}
