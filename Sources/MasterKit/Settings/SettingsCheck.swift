/// What a plugin's own check sees: where its settings stand, and where to put what is wrong.
public final class SettingsCheck {
    private let decoder: SettingDecoder
    private let node: YAMLNode?
    private let place: SourceRange?

    init(decoder: SettingDecoder, node: YAMLNode?, place: SourceRange?) {
        self.decoder = decoder
        self.node = node
        self.place = place
    }

    /// Whether a setting is given in the file.
    public func isGiven(_ name: String) -> Bool { entry(name) != nil }

    /// Adds an error at a setting, or at the plugin when the setting is not given.
    public func error(_ message: String, at setting: String) {
        decoder.error(message, at: range(of: setting))
    }

    /// Adds a warning at a setting, or at the plugin when the setting is not given.
    public func warning(_ message: String, at setting: String) {
        decoder.warning(message, at: range(of: setting))
    }

    private func range(of setting: String) -> SourceRange? {
        entry(setting)?.key.range ?? node?.range ?? place
    }

    private func entry(_ name: String) -> YAMLMapping.Entry? {
        guard case .mapping(let mapping) = node?.kind else { return nil }
        return mapping.entries.first { $0.key.scalarText == name }
    }
}
