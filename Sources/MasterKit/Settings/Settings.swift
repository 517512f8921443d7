internal import Synchronization

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
    fileprivate let wrongReads = WrongReads()

    /// Creates a check.
    ///
    /// - Parameters:
    ///   - decoder: Collects the diagnostics.
    ///   - given: The key node of each setting, by the name used in the file.
    ///   - place: The location of the plugin's name.
    init(decoder: SettingDecoder, given: [String: YAMLNode], place: SourceRange?) {
        self.decoder = decoder
        self.given = given
        self.place = place
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
        if wrongReads.isEmpty { decoder.error(message, at: range ?? place) }
    }

    /// Adds a warning at a location inside a setting.
    public func warning(_ message: String, at range: SourceRange?) {
        if wrongReads.isEmpty { decoder.warning(message, at: range ?? place) }
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
            let check = SettingsCheck(decoder: self, given: given, place: place)
            WrongReads.$current.withValue(check.wrongReads) { value.check(check) }
        }
    }
}

/// Records whether a setting was read whose value in the file is invalid.
final class WrongReads: Sendable {
    @TaskLocal fileprivate static var current: WrongReads?

    private let count = Atomic(0)

    fileprivate init() {}

    fileprivate var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

    static func note() {
        current?.count.add(1, ordering: .relaxed)
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
