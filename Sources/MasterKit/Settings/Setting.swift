import Synchronization

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
    let summary: String
    let options: [SettingOption]
    let shape: String
    let fallback: Value?
    let read: @Sendable (YAMLNode, SettingDecoder) -> Value?
    private let slot = SettingSlot<Value>()

    /// The value from master.yaml, or else the default.
    public var wrappedValue: Value {
        guard let value = slot.value ?? fallback else {
            preconditionFailure("a setting was read before its plugin was configured: \(summary)")
        }
        return value
    }

    init(
        _ summary: String, _ options: [SettingOption], shape: String, fallback: Value?,
        read: @escaping @Sendable (YAMLNode, SettingDecoder) -> Value?
    ) {
        self.summary = summary
        self.options = options
        self.shape = shape
        self.fallback = fallback
        self.read = read
    }
}

extension Setting where Value: SettingValue {
    /// Declares a setting that must be given, unless its type is optional.
    public init(_ summary: String, _ options: SettingOption...) {
        self.init(
            summary, options, shape: Value.shape, fallback: Value.absent,
            read: { node, decoder in decoder.decode(Value.self, from: node) })
    }

    /// Declares a setting with a default.
    public init(wrappedValue: Value, _ summary: String, _ options: SettingOption...) {
        self.init(
            summary, options, shape: Value.shape, fallback: wrappedValue,
            read: { node, decoder in decoder.decode(Value.self, from: node) })
    }
}

/// The place that a configured value is put into, once.
final class SettingSlot<Value: Sendable>: Sendable {
    private let state = Mutex<Value?>(nil)

    var value: Value? { state.withLock { $0 } }

    func fill(_ value: Value) {
        state.withLock { $0 = value }
    }
}

/// A setting of any type, as the decoder sees it.
protocol AnySetting: Sendable {
    var summary: String { get }
    var options: [SettingOption] { get }
    var shape: String { get }
    var isRequired: Bool { get }

    /// Reads the value of the node into the slot.
    ///
    /// - Returns: Whether there was nothing wrong with it.
    func fill(from node: YAMLNode, with decoder: SettingDecoder) -> Bool
}

extension Setting: AnySetting {
    var isRequired: Bool { fallback == nil }

    func fill(from node: YAMLNode, with decoder: SettingDecoder) -> Bool {
        guard let value = read(node, decoder) else { return false }
        slot.fill(value)
        return true
    }
}

extension AnySetting {
    func declaration(label: String) -> SettingDeclaration {
        var name = label
        var aliases: [String] = []
        var isPrimary = false
        var isSecret = false
        for option in options {
            switch option.kind {
            case .named(let other): name = other
            case .alias(let other): aliases.append(other)
            case .primary: isPrimary = true
            case .secret: isSecret = true
            case .notEmpty: break
            }
        }
        return SettingDeclaration(
            name: name, aliases: aliases, summary: summary, shape: shape, isPrimary: isPrimary,
            isSecret: isSecret, isRequired: isRequired)
    }

    var refusesEmpty: Bool {
        options.contains { if case .notEmpty = $0.kind { true } else { false } }
    }
}
