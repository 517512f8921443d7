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
