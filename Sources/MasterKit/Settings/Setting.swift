import Synchronization

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
    package var node: YAMLNode? { slot.node }

    init(
        _ summary: String, _ options: [SettingOption], shape: @escaping @Sendable () -> String,
        form: @escaping @Sendable () -> ValueForm, fallback: Value?,
        read: @escaping @Sendable (YAMLNode, SettingDecoder) -> Value?
    ) {
        slot = SettingSlot(
            summary, options, shape: shape, form: form, fallback: fallback, read: read)
        SettingRecorder.note(slot)
    }
}

extension Setting where Value: SettingValue {
    /// Declares a required setting, or an optional one if its type is optional.
    public init(_ summary: String, _ options: SettingOption...) {
        self.init(
            summary, options, shape: { Value.shape }, form: { Value.form },
            fallback: Value.absent,
            read: { node, decoder in decoder.decode(Value.self, from: node) })
    }

    /// Declares a setting with a default.
    public init(wrappedValue: Value, _ summary: String, _ options: SettingOption...) {
        self.init(
            summary, options, shape: { Value.shape }, form: { Value.form },
            fallback: wrappedValue,
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

/// A trait of a setting in addition to its type and default.
public struct SettingOption: Sendable {
    enum Kind: Sendable {
        case primary
        case secret
        case notEmpty
        case replacesOption
        case named(String)
        case alias(String)
        case within(SettingRange)
        case example(JSONValue)
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

    /// A value to show to users; the example of the plugin has it.
    public static func example(_ value: JSONValue) -> SettingOption {
        SettingOption(kind: .example(value))
    }
}

/// The declaration of one setting and the storage for its configured value, which is set once.
final class SettingSlot<Value: Sendable>: AnySetting {
    let summary: String
    let options: [SettingOption]
    private let describe: @Sendable () -> String
    private let formOfValues: @Sendable () -> ValueForm
    private let fallback: Value?
    private let read: @Sendable (YAMLNode, SettingDecoder) -> Value?
    private let state = Mutex(State())

    private struct State {
        var configured: (value: Value, node: YAMLNode)?
        /// Whether the value in the file is invalid.
        var isInvalid = false
        var wasReadInvalid = false
    }

    init(
        _ summary: String, _ options: [SettingOption], shape: @escaping @Sendable () -> String,
        form: @escaping @Sendable () -> ValueForm, fallback: Value?,
        read: @escaping @Sendable (YAMLNode, SettingDecoder) -> Value?
    ) {
        self.summary = summary
        self.options = options
        self.describe = shape
        self.formOfValues = form
        self.fallback = fallback
        self.read = read
    }

    /// The configured value, or else the default, also if the configured value is invalid.
    var value: Value? {
        state.withLock { state in
            if let configured = state.configured { return configured.value }
            if state.isInvalid { state.wasReadInvalid = true }
            return fallback
        }
    }

    /// The node that the value was read from, or `nil` if none was configured.
    var node: YAMLNode? { state.withLock { $0.configured?.node } }

    /// Whether a value was configured.
    var isGiven: Bool { state.withLock { $0.configured != nil } }

    func takeInvalidRead() -> Bool {
        state.withLock { state in
            defer { state.wasReadInvalid = false }
            return state.wasReadInvalid
        }
    }

    func markInvalid() {
        state.withLock { $0.isInvalid = true }
    }

    /// An unconfigured copy of the setting with a different default.
    func with(fallback: Value) -> SettingSlot {
        SettingSlot(
            summary, options, shape: describe, form: formOfValues, fallback: fallback, read: read)
    }

    var shape: String { describe() }

    var form: ValueForm { formOfValues() }

    var defaultValue: JSONValue? { fallback.flatMap { JSONValue(ofDefault: $0) } }

    var isRequired: Bool { fallback == nil }

    var hasValue: Bool { fallback != nil || isGiven }

    func fill(from node: YAMLNode, with decoder: SettingDecoder) -> Bool {
        let value = read(node, decoder)
        state.withLock { state in
            if let value { state.configured = (value, node) } else { state.isInvalid = true }
        }
        return value != nil
    }
}

/// A type-erased setting, for the decoder.
protocol AnySetting: AnyObject, Sendable {
    var summary: String { get }
    var options: [SettingOption] { get }
    var shape: String { get }
    var form: ValueForm { get }
    /// The default as written in a file, if it can be.
    var defaultValue: JSONValue? { get }
    var isRequired: Bool { get }
    /// Whether there is a value to read.
    var hasValue: Bool { get }

    /// Marks the value in the file as invalid, for example because its name is misspelled.
    func markInvalid()

    /// Whether the value was read, although it is invalid in the file, since the last call.
    func takeInvalidRead() -> Bool

    /// Reads the value of the node into the slot.
    ///
    /// - Returns: Whether the value was valid.
    func fill(from node: YAMLNode, with decoder: SettingDecoder) -> Bool
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
            case .notEmpty, .replacesOption, .within, .example: break
            }
        }
        let limits = range.map { " \($0)" } ?? ""
        return SettingDeclaration(
            name: name, aliases: aliases, summary: summary, shape: shape + limits,
            isPrimary: isPrimary, isSecret: isSecret, isRequired: isRequired,
            replacesOption: replacesOption)
    }

    var replacesOption: Bool {
        options.contains { if case .replacesOption = $0.kind { true } else { false } }
    }

    var refusesEmpty: Bool {
        options.contains { if case .notEmpty = $0.kind { true } else { false } }
    }
}

/// Records the settings and groups created while a value is created, in order.
///
/// Finding the settings of a finished value by reflection takes about fifteen times as long as
/// creating them, so it is done once per type, and ``SettingLayout`` caches the result.
final class SettingRecorder: Sendable {
    @TaskLocal private static var current: SettingRecorder?

    /// The settings and groups that were created.
    struct Recorded {
        var settings: [any AnySetting] = []
        var groups: [any Settings] = []
    }

    private let recorded = Mutex(Recorded())

    private init() {}

    /// Records a setting if a recorder is active.
    static func note(_ setting: any AnySetting) {
        current?.recorded.withLock { $0.settings.append(setting) }
    }

    /// Records a group if a recorder is active.
    static func note(_ group: any Settings) {
        current?.recorded.withLock { $0.groups.append(group) }
    }

    /// Creates a value and returns it together with what was created meanwhile.
    static func recording<Value>(_ make: () -> Value) -> (value: Value, recorded: Recorded) {
        let recorder = SettingRecorder()
        let value = $current.withValue(recorder, operation: make)
        return (value, recorder.recorded.withLock { $0 })
    }
}
