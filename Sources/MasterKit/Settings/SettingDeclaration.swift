/// What is known of a setting from its declaration alone.
public struct SettingDeclaration: Sendable {
    /// The name in master.yaml.
    public let name: String
    /// Other accepted spellings.
    public let aliases: [String]
    /// What the setting does, in one sentence.
    public let summary: String
    /// What may be written, in words, for example `a duration such as 30s or 5m`.
    public let shape: String
    /// Whether a lone value stands for this setting.
    public let isPrimary: Bool
    /// Whether the value is hidden where settings are shown.
    public let isSecret: Bool
    /// Whether it must be given.
    public let isRequired: Bool
}

/// A trait of a setting beside its type and default.
public struct SettingOption: Sendable {
    enum Kind: Sendable {
        case primary
        case secret
        case notEmpty
        case named(String)
        case alias(String)
    }

    let kind: Kind

    /// A lone value in place of the mapping fills this setting.
    public static let primary = SettingOption(kind: .primary)
    /// The value is hidden where settings are shown.
    public static let secret = SettingOption(kind: .secret)
    /// An empty text, list or mapping is an error.
    public static let notEmpty = SettingOption(kind: .notEmpty)

    /// Gives the setting a name other than its property's.
    public static func named(_ name: String) -> SettingOption { SettingOption(kind: .named(name)) }

    /// Accepts a second spelling of the name.
    public static func alias(_ name: String) -> SettingOption { SettingOption(kind: .alias(name)) }
}
