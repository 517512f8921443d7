import Synchronization

/// The layout common to all plugins of a type: which settings exist, under which names.
struct SettingLayout {
    let types: [any Settings.Type]
    let declarations: [SettingDeclaration]
    /// The required settings.
    let required: [SettingDeclaration]
    /// The setting that a single value sets.
    let primary: SettingDeclaration?
    /// A name used by two settings, which is a programming error.
    let doubledName: String?
    /// The indices of the required settings, for each type.
    let requiredOfTypes: [[Int]]
    private let indices: [String: Int]
    /// The indices of the settings among those recorded while the values were created.
    private let positions: [Int]
    private let recordedCount: Int

    /// Creates a layout.
    ///
    /// - Parameters:
    ///   - types: The types.
    ///   - fields: The settings of each type.
    ///   - recorded: The settings created while values of the types were created.
    init(types: [any Settings.Type], fields: [[SettingField]], recorded: [any AnySetting] = []) {
        self.types = types
        var count = 0
        requiredOfTypes = fields.map { fields in
            defer { count += fields.count }
            return fields.indices.filter { fields[$0].declaration.isRequired }.map { count + $0 }
        }
        let fields = fields.flatMap(\.self)
        declarations = fields.map(\.declaration)
        required = declarations.filter(\.isRequired)
        primary = declarations.first(where: \.isPrimary)
        var indices: [String: Int] = [:]
        var doubled: String?
        for (index, declaration) in declarations.enumerated() {
            for name in [declaration.name] + declaration.aliases {
                if indices[name] != nil { doubled = doubled ?? name }
                indices[name] = indices[name] ?? index
            }
        }
        self.indices = indices
        doubledName = doubled
        positions = fields.compactMap { field in
            recorded.firstIndex { $0 === field.setting }
        }
        recordedCount = recorded.count
    }

    /// The index of the setting with a name or an alias.
    func index(of name: String) -> Int? { indices[name] }

    /// The settings of other values of the types, or `nil` if these were created differently.
    func settings(among recorded: [any AnySetting]) -> [any AnySetting]? {
        guard recorded.count == recordedCount, positions.count == declarations.count
        else { return nil }
        return positions.map { recorded[$0] }
    }
}

/// The settings allowed in one mapping: those of a value, or of a step and its options.
struct SettingTable {
    let layout: SettingLayout
    private let settings: [any AnySetting]

    /// Finds the settings of values by reflection.
    init(of values: [any Settings], recorded: [any AnySetting] = []) {
        let fields = Self.fields(of: values)
        layout = SettingLayout(
            types: values.map { type(of: $0) }, fields: fields, recorded: recorded)
        settings = fields.flatMap(\.self).map(\.setting)
    }

    /// The settings of each value, except those replaced by settings of preceding values.
    private static func fields(of values: [any Settings]) -> [[SettingField]] {
        var replaced: Set<String> = []
        return values.map { value in
            let fields = value.settingFields().filter { !replaced.contains($0.declaration.name) }
            replaced.formUnion(
                fields.filter { $0.setting.replacesOption }.map(\.declaration.name))
            return fields
        }
    }

    /// Finds the settings of values among those recorded while the values were created.
    init?(_ layout: SettingLayout, recorded: [any AnySetting]) {
        guard let settings = layout.settings(among: recorded) else { return nil }
        self.layout = layout
        self.settings = settings
    }

    /// Whether every required setting of one of the values has a value.
    func isComplete(valueAt index: Int) -> Bool {
        layout.requiredOfTypes[index].allSatisfy { settings[$0].hasValue }
    }

    /// The setting with a name or an alias.
    func field(named name: String) -> SettingField? {
        layout.index(of: name).map {
            SettingField(declaration: layout.declarations[$0], setting: settings[$0])
        }
    }
}

/// The declaration of one setting and the storage for its configured value, which is set once.
final class SettingSlot<Value: Sendable>: AnySetting {
    let summary: String
    let options: [SettingOption]
    private let describe: @Sendable () -> String
    private let fallback: Value?
    private let read: @Sendable (YAMLNode, SettingDecoder) -> Value?
    private let configured = Mutex<(value: Value, node: YAMLNode)?>(nil)
    private let wrong = Mutex(false)

    init(
        _ summary: String, _ options: [SettingOption], shape: @escaping @Sendable () -> String,
        fallback: Value?, read: @escaping @Sendable (YAMLNode, SettingDecoder) -> Value?
    ) {
        self.summary = summary
        self.options = options
        self.describe = shape
        self.fallback = fallback
        self.read = read
    }

    /// The configured value, or else the default, also if the configured value is invalid.
    var value: Value? {
        if let configured = configured.withLock({ $0 }) { return configured.value }
        if wrong.withLock({ $0 }) { WrongReads.note() }
        return fallback
    }

    /// The node that the value was read from, or `nil` if none was configured.
    var node: YAMLNode? { configured.withLock { $0?.node } }

    /// Whether a value was configured.
    var isGiven: Bool { configured.withLock { $0 } != nil }

    /// An unconfigured copy of the setting with a different default.
    func with(fallback: Value) -> SettingSlot {
        SettingSlot(summary, options, shape: describe, fallback: fallback, read: read)
    }

    var shape: String { describe() }

    var isRequired: Bool { fallback == nil }

    var hasValue: Bool { fallback != nil || isGiven }

    func fill(from node: YAMLNode, with decoder: SettingDecoder) -> Bool {
        guard let value = read(node, decoder) else {
            wrong.withLock { $0 = true }
            return false
        }
        configured.withLock { $0 = (value, node) }
        return true
    }
}

/// A type-erased setting, for the decoder.
protocol AnySetting: AnyObject, Sendable {
    var summary: String { get }
    var options: [SettingOption] { get }
    var shape: String { get }
    var isRequired: Bool { get }
    /// Whether there is a value to read.
    var hasValue: Bool { get }

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
            case .notEmpty, .replacesOption: break
            }
        }
        return SettingDeclaration(
            name: name, aliases: aliases, summary: summary, shape: shape, isPrimary: isPrimary,
            isSecret: isSecret, isRequired: isRequired)
    }

    var replacesOption: Bool {
        options.contains { if case .replacesOption = $0.kind { true } else { false } }
    }

    var refusesEmpty: Bool {
        options.contains { if case .notEmpty = $0.kind { true } else { false } }
    }
}

/// Records the settings created while a value is created, in order.
///
/// Finding the settings of a finished value by reflection takes about fifteen times as long as
/// creating them, so it is done once per type, and ``SettingLayout`` caches the result.
final class SettingRecorder: Sendable {
    @TaskLocal private static var current: SettingRecorder?

    private let settings = Mutex<[any AnySetting]>([])

    private init() {}

    /// Records a setting if a recorder is active.
    static func note(_ setting: any AnySetting) {
        current?.settings.withLock { $0.append(setting) }
    }

    /// Creates a value and returns it together with the settings created meanwhile.
    static func recording<Value>(
        _ make: () -> Value
    ) -> (value: Value, settings: [any AnySetting]) {
        let recorder = SettingRecorder()
        let value = $current.withValue(recorder, operation: make)
        return (value, recorder.settings.withLock { $0 })
    }
}
