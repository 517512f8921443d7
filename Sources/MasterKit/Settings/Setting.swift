/// Declares a setting: the property's name, type and default are those of the setting.
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
    /// Assigning it before the file is read changes the default.
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

    /// The node that the value was read from.
    var node: YAMLNode? { slot.node }

    init(
        _ summary: String, _ options: [SettingOption], shape: @escaping @Sendable () -> String,
        fallback: Value?, read: @escaping @Sendable (YAMLNode, SettingDecoder) -> Value?
    ) {
        slot = SettingSlot(summary, options, shape: shape, fallback: fallback, read: read)
        SettingRecorder.note(slot)
    }
}

extension Setting where Value: SettingValue {
    /// Declares a required setting, or an optional one if its type is optional.
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

/// Includes the settings of another type in a plugin's own, so that several plugins can share them.
@propertyWrapper
public struct SettingGroup<Group: Settings>: Sendable {
    /// The group with its configured settings.
    public let wrappedValue: Group

    /// Declares a group with its defaults.
    public init() {
        self.wrappedValue = Group()
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
}

/// A trait of a setting in addition to its type and default.
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

    /// A single value in place of the mapping sets this setting.
    public static let primary = SettingOption(kind: .primary)
    /// The value is masked where settings are shown.
    public static let secret = SettingOption(kind: .secret)
    /// An empty string, list or mapping is an error.
    public static let notEmpty = SettingOption(kind: .notEmpty)

    /// The setting replaces a common option of the same name.
    public static let replacesOption = SettingOption(kind: .replacesOption)

    /// Gives the setting a name different from its property's.
    public static func named(_ name: String) -> SettingOption { SettingOption(kind: .named(name)) }

    /// Accepts an alternative spelling of the name.
    public static func alias(_ name: String) -> SettingOption { SettingOption(kind: .alias(name)) }
}
