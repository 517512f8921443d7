internal import Synchronization

/// A type whose properties marked ``Setting`` and ``SettingGroup`` are filled from a mapping.
///
/// Plugins are settings; so are groups of settings that several plugins share, and mappings
/// nested in a setting.
public protocol Settings: Sendable {
    /// Makes a value whose settings have their defaults.
    init()

    /// Looks at the settings together and adds diagnostics; touches nothing outside.
    ///
    /// Called once for a plugin and once for its options, when every setting that must be given has
    /// a value. Others may be wrong; they have their default here, and what is reported after one of
    /// them was read is left out, so that no mistake leads to another.
    func check(_ settings: SettingsCheck)
}

extension Settings {
    /// Finds nothing wrong.
    public func check(_ settings: SettingsCheck) {}

    /// The settings of this value, with those of its groups, in the order of their declaration.
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

    /// What the settings of this type are, for help, schemas and reference pages.
    package static var declarations: [SettingDeclaration] {
        Self().settingFields().map(\.declaration)
    }
}

/// One setting of a value under the name it has in files.
struct SettingField {
    let declaration: SettingDeclaration
    let setting: any AnySetting
}

/// The settings of a plugin for its own check, and where errors and warnings go.
public final class SettingsCheck {
    private let decoder: SettingDecoder
    private let given: [String: YAMLNode]
    private let place: SourceRange?
    fileprivate let wrongReads = WrongReads()

    /// Makes a check.
    ///
    /// - Parameters:
    ///   - decoder: Takes what is wrong.
    ///   - given: What names each setting, by the spelling that the file has.
    ///   - place: Where the plugin is named.
    init(decoder: SettingDecoder, given: [String: YAMLNode], place: SourceRange?) {
        self.decoder = decoder
        self.given = given
        self.place = place
    }

    /// Whether a setting is given in the file, right, wrong or unknown, by its name or as the lone
    /// value of the plugin.
    ///
    /// An alias is a name of its own here.
    public func isGiven(_ name: String) -> Bool { given[name] != nil }

    /// Adds an error at a setting, or at the plugin when the setting is not given.
    public func error(_ message: String, at setting: String) {
        error(message, at: range(of: setting))
    }

    /// Adds a warning at a setting, or at the plugin when the setting is not given.
    public func warning(_ message: String, at setting: String) {
        warning(message, at: range(of: setting))
    }

    /// Adds an error at a place inside a setting.
    public func error(_ message: String, at range: SourceRange?) {
        if wrongReads.isEmpty { decoder.error(message, at: range ?? place) }
    }

    /// Adds a warning at a place inside a setting.
    public func warning(_ message: String, at range: SourceRange?) {
        if wrongReads.isEmpty { decoder.warning(message, at: range ?? place) }
    }

    private func range(of setting: String) -> SourceRange? {
        guard let key = given[setting] else { return place }
        return key.range ?? place
    }
}

extension SettingDecoder {
    /// Lets the settings of each value be looked at together, when those that must be given have
    /// a value.
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

/// Notes that a setting was read whose value in the file is wrong.
final class WrongReads: Sendable {
    @TaskLocal fileprivate static var current: WrongReads?

    private let count = Atomic(0)

    fileprivate init() {}

    fileprivate var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

    static func note() {
        current?.count.add(1, ordering: .relaxed)
    }
}

/// Everything that is wrong with a configuration, gathered in one run.
public struct ConfigurationError: Error, CustomStringConvertible {
    /// The diagnostics, warnings among them, in the order of their places.
    public let diagnostics: [Diagnostic]

    /// Makes an error of diagnostics.
    package init(_ diagnostics: [Diagnostic]) {
        self.diagnostics = diagnostics
    }

    /// The messages, one a line.
    public var description: String {
        diagnostics.map(\.message).joined(separator: "\n")
    }
}
