/// What a plugin's own check sees: where its settings stand, and where to put what is wrong.
public final class SettingsCheck {
    private let decoder: SettingDecoder
    private let given: [String: YAMLNode]
    private let place: SourceRange?

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

    /// Whether a setting is given in the file, by its name or as the lone value of the plugin.
    ///
    /// An alias is a name of its own here.
    public func isGiven(_ name: String) -> Bool { given[name] != nil }

    /// Adds an error at a setting, or at the plugin when the setting is not given.
    public func error(_ message: String, at setting: String) {
        decoder.error(message, at: range(of: setting))
    }

    /// Adds a warning at a setting, or at the plugin when the setting is not given.
    public func warning(_ message: String, at setting: String) {
        decoder.warning(message, at: range(of: setting))
    }

    /// Adds an error at a place inside a setting.
    public func error(_ message: String, at range: SourceRange?) {
        decoder.error(message, at: range ?? place)
    }

    /// Adds a warning at a place inside a setting.
    public func warning(_ message: String, at range: SourceRange?) {
        decoder.warning(message, at: range ?? place)
    }

    private func range(of setting: String) -> SourceRange? {
        guard let key = given[setting] else { return place }
        return key.range ?? place
    }
}
