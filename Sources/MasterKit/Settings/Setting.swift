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
    private var slot: SettingSlot

    /// The value from master.yaml, or else the default.
    ///
    /// Assigning it before the file is read changes the default.
    public var wrappedValue: Value {
        get {
            guard let value = slot.value, let value = value as? Value else {
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
        _ summary: String, _ options: [SettingOption], _ content: SettingContent,
        fallback: (any Sendable)? = nil
    ) {
        slot = SettingSlot(summary, options, content, fallback: fallback)
        SettingRecorder.note(slot)
    }
}

extension Setting where Value: SettingValue {
    /// Declares a required setting, or an optional one if its type is optional.
    public init(_ summary: String, _ options: SettingOption...) {
        self.init(summary, options, .value(Value.self))
    }

    /// Declares a setting with a default.
    public init(wrappedValue: Value, _ summary: String, _ options: SettingOption...) {
        self.init(summary, options, .value(Value.self), fallback: wrappedValue)
    }
}

/// A property that declares a setting, whatever its type.
protocol SettingProperty {
    var setting: SettingSlot { get }
}

extension Setting: SettingProperty {
    var setting: SettingSlot { slot }
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

/// What a setting accepts.
enum SettingContent: Sendable {
    /// A value of a type.
    case value(any SettingValue.Type)
    /// One plugin, or a list of them.
    case plugins(
        PluginNamespace, isList: Bool,
        read: @Sendable (YAMLNode, SettingDecoder) -> (any Sendable)?)

    /// A description of the accepted values, with its article.
    var shape: String {
        switch self {
        case .value(let type): type.shape
        case .plugins(let namespace, isList: false, _): "a plugin of \(namespace.rawValue)"
        case .plugins(let namespace, isList: true, _): "a list of \(namespace.rawValue)"
        }
    }

    /// The form of the accepted values.
    var form: ValueForm {
        switch self {
        case .value(let type): type.form
        case .plugins(let namespace, isList: false, _): .optional(.plugin(namespace))
        case .plugins(let namespace, isList: true, _): .optional(.list(of: .plugin(namespace)))
        }
    }

    /// The value of an omitted setting without a default; `nil` if it is required.
    var absent: (any Sendable)? {
        switch self {
        case .value(let type): type.absent
        case .plugins: nil
        }
    }
}

/// The declaration of one setting and the storage for its configured value, which is set once.
///
/// It is not generic: a file has thousands of settings, and generic code looks up the types of its
/// values for each of them.
final class SettingSlot: Sendable {
    let summary: String
    let options: [SettingOption]
    private let content: SettingContent
    private let ownDefault: (any Sendable)?
    private let state = Mutex(State())

    private struct State {
        var configured: (value: any Sendable, node: YAMLNode)?
        /// Whether the value in the file is invalid.
        var isInvalid = false
        var wasReadInvalid = false
    }

    init(
        _ summary: String, _ options: [SettingOption], _ content: SettingContent,
        fallback: (any Sendable)?
    ) {
        self.summary = summary
        self.options = options
        self.content = content
        ownDefault = fallback
    }

    /// The configured value, or else the default, also if the configured value is invalid.
    var value: (any Sendable)? {
        state.withLock { state in
            if let configured = state.configured { return configured.value }
            if state.isInvalid { state.wasReadInvalid = true }
            return fallback
        }
    }

    /// The value if none is configured, or `nil` if the setting is required.
    private var fallback: (any Sendable)? { ownDefault ?? content.absent }

    /// The node that the value was read from, or `nil` if none was configured.
    var node: YAMLNode? { state.withLock { $0.configured?.node } }

    /// Whether a value was configured.
    var isGiven: Bool { state.withLock { $0.configured != nil } }

    /// The accepted values, for example `a duration such as 30s or 5m`.
    var shape: String { content.shape }

    var form: ValueForm { content.form }

    /// The default as written in a file, if it can be.
    var defaultValue: JSONValue? { fallback.flatMap { JSONValue(ofDefault: $0) } }

    var isRequired: Bool { fallback == nil }

    /// Whether there is a value to read.
    var hasValue: Bool { fallback != nil || isGiven }

    /// An unconfigured copy of the setting with a different default.
    func with(fallback: any Sendable) -> SettingSlot {
        SettingSlot(summary, options, content, fallback: fallback)
    }

    /// Marks the value in the file as invalid, for example because its name is misspelled.
    func markInvalid() {
        state.withLock { $0.isInvalid = true }
    }

    /// Whether the value was read, although it is invalid in the file, since the last call.
    func takeInvalidRead() -> Bool {
        state.withLock { state in
            defer { state.wasReadInvalid = false }
            return state.wasReadInvalid
        }
    }

    /// Reads the value of the node.
    ///
    /// - Returns: Whether the value was valid.
    func fill(from node: YAMLNode, with decoder: SettingDecoder) -> Bool {
        let value = content.read(node, with: decoder)
        state.withLock { state in
            if let value { state.configured = (value, node) } else { state.isInvalid = true }
        }
        return value != nil
    }
}

extension SettingSlot {
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
        var settings: [SettingSlot] = []
        var groups: [any Settings] = []
    }

    private let recorded = Mutex(Recorded())

    private init() {}

    /// Records a setting if a recorder is active.
    static func note(_ setting: SettingSlot) {
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
