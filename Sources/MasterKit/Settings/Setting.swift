/// Declares a setting: its name is the property's, its type and default are Swift's.
///
/// ```swift
/// @Setting("Address of the receiver.", .primary) var serverUrl: Renderable<HTTPAddress>
/// @Setting("Which results to announce.") var announce: [Results] = [.failure]
/// @Setting("Who is called.") var owner: String?
/// ```
///
/// A setting without a default must be given unless its type is optional. It is filled once, when
/// the plugin is configured, and never changes afterwards.
@propertyWrapper
public struct Setting<Value: Sendable>: Sendable {
    private var slot: SettingSlot<Value>

    /// The value from master.yaml, or else the default.
    ///
    /// Setting it, before the file is read, gives the setting another default.
    public var wrappedValue: Value {
        get {
            guard let value = slot.value else {
                preconditionFailure(
                    "a setting was read before its plugin was configured: \(slot.summary)")
            }
            return value
        }
        set {
            slot = slot.with(fallback: newValue)
            SettingRecorder.note(slot)
        }
    }

    /// The setting itself.
    public var projectedValue: Self { self }

    /// Whether the value comes from master.yaml.
    public var isGiven: Bool { slot.isGiven }

    init(
        _ summary: String, _ options: [SettingOption], shape: @escaping @Sendable () -> String,
        fallback: Value?, read: @escaping @Sendable (YAMLNode, SettingDecoder) -> Value?
    ) {
        slot = SettingSlot(summary, options, shape: shape, fallback: fallback, read: read)
        SettingRecorder.note(slot)
    }
}

extension Setting where Value: SettingValue {
    /// Declares a setting that must be given, unless its type is optional.
    public init(_ summary: String, _ options: SettingOption...) {
        self.init(
            summary, options, shape: { Value.shape }, fallback: Value.absent,
            read: { node, decoder in decoder.decode(Value.self, from: node) })
    }

    /// Declares a setting with a default.
    public init(wrappedValue: Value, _ summary: String, _ options: SettingOption...) {
        self.init(
            summary, options, shape: { Value.shape }, fallback: wrappedValue,
            read: { node, decoder in decoder.decode(Value.self, from: node) })
    }
}

/// A property that declares a setting, whatever its type.
protocol SettingProperty {
    var setting: any AnySetting { get }
}

extension Setting: SettingProperty {
    var setting: any AnySetting { slot }
}

/// Splices the settings of another type into a plugin's own, so that several plugins share them.
@propertyWrapper
public struct SettingGroup<Group: Settings>: Sendable {
    /// The group with its settings filled.
    public let wrappedValue: Group

    /// Declares a group with its defaults.
    public init() {
        self.wrappedValue = Group()
    }
}

/// A group of any type, as the decoder sees it.
protocol AnySettingGroup: Sendable {
    var settings: any Settings { get }
}

extension SettingGroup: AnySettingGroup {
    var settings: any Settings { wrappedValue }
}

/// What is known of a setting from its declaration alone.
package struct SettingDeclaration: Sendable {
    /// The name in master.yaml.
    package let name: String
    /// Other accepted spellings.
    package let aliases: [String]
    /// What the setting does, in one sentence.
    package let summary: String
    /// What may be written, in words, for example `a duration such as 30s or 5m`.
    package let shape: String
    /// Whether a lone value stands for this setting.
    package let isPrimary: Bool
    /// Whether the value is hidden where settings are shown.
    package let isSecret: Bool
    /// Whether it must be given.
    package let isRequired: Bool
}

/// A trait of a setting beside its type and default.
public struct SettingOption: Sendable {
    enum Kind: Sendable {
        case primary
        case secret
        case notEmpty
        case replacesOption
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

    /// The setting takes the place of an option of the same name that all plugins of the kind have.
    public static let replacesOption = SettingOption(kind: .replacesOption)

    /// Gives the setting a name other than its property's.
    public static func named(_ name: String) -> SettingOption { SettingOption(kind: .named(name)) }

    /// Accepts a second spelling of the name.
    public static func alias(_ name: String) -> SettingOption { SettingOption(kind: .alias(name)) }
}
