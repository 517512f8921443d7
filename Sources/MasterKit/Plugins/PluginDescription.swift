/// The values that a setting accepts in a file, for schemas, completion and help.
///
/// A type whose values have a more precise form than any value says so in ``SettingValue/form``;
/// what it checks beyond that is its own.
public indirect enum ValueForm: Sendable {
    /// Any value.
    case any
    /// A scalar except null; a number or boolean is read as the text that spells it.
    case text
    /// `true` or `false`.
    case boolean
    /// A whole number.
    case integer
    /// A number.
    case number
    /// One of these words.
    case choice([String])
    /// A list whose items have a form.
    case list(of: ValueForm)
    /// A mapping with any keys, whose values have a form.
    case mapping(of: ValueForm)
    /// A mapping of settings, or a single value for the primary one.
    ///
    /// The type, not its settings, so that settings can contain each other.
    case settings(any Settings.Type)
    /// A plugin of a kind: its key, or a mapping from its key to its settings.
    case plugin(PluginNamespace)
    /// Any of these forms.
    case either([ValueForm])
    /// The form, or null for no value.
    case optional(ValueForm)
    /// The form, of which any part may be an expression such as `!Property` that each build
    /// computes.
    case computed(ValueForm)
}

extension ValueForm {
    /// The form without null and expressions.
    package var plain: ValueForm {
        switch self {
        case .optional(let form), .computed(let form): form.plain
        default: self
        }
    }

    /// The words that are accepted, if there are only these, or a list of them.
    package var choices: [String]? {
        switch plain {
        case .choice(let words): words
        case .boolean: ["true", "false"]
        case .list(let form): form.choices
        default: nil
        }
    }

    /// Whether expressions may be part of the value.
    package var isComputed: Bool {
        switch self {
        case .computed: true
        case .optional(let form): form.isComputed
        default: false
        }
    }
}

/// What the declaration of a plugin tells: its settings and those that all plugins of its kind
/// share.
package struct PluginDescription: Sendable {
    /// The key that identifies it in master.yaml.
    package let key: PluginKey
    /// What the plugin does, in one sentence.
    package let summary: String
    /// The module or library that contains it.
    package let origin: String
    /// Its own settings, with those of groups, in the order of their declaration.
    package let settings: [SettingDescription]
    /// The settings of its kind with this plugin's defaults, except those that it replaces.
    package let options: [SettingDescription]
}

/// What the declaration of a setting tells.
package struct SettingDescription: Sendable {
    /// Name, aliases, summary, shape in words, and whether it is primary, secret or required.
    package let declaration: SettingDeclaration
    /// The form of its values.
    package let form: ValueForm
    /// The default as written in a file; `nil` if there is none, or none that a file can spell.
    package let defaultValue: JSONValue?
    /// A value to show to users, from the declaration.
    package let example: JSONValue?
    /// Whether an empty string, list or mapping is an error.
    package let refusesEmpty: Bool
    /// The range of its numbers, or of its durations in seconds.
    package let range: SettingRange?

    package var name: String { declaration.name }

    init(_ field: SettingField) {
        declaration = field.declaration
        form = field.setting.form
        defaultValue = field.setting.defaultValue
        example = field.setting.example
        refusesEmpty = field.setting.refusesEmpty
        range = field.setting.range
    }
}

extension Registry.Entry {
    /// What the plugin's declaration tells.
    package var description: PluginDescription {
        let parts = PluginParts(self.type)
        let fields = SettingTable.fields(of: [parts.plugin, parts.options])
        return PluginDescription(
            key: key, summary: type.summary, origin: origin,
            settings: fields[0].map { SettingDescription($0) },
            options: fields[1].map { SettingDescription($0) })
    }
}

extension Settings {
    /// The settings of this type, with those of groups, in the order of their declaration.
    package static var descriptions: [SettingDescription] {
        Self().settingFields().map { SettingDescription($0) }
    }
}

extension SettingSlot {
    fileprivate var example: JSONValue? {
        for case .example(let value) in options.map(\.kind) { return value }
        return nil
    }
}

extension JSONValue {
    /// A default as it is written in a file; `nil` for no value and for values of other types.
    init?(ofDefault value: any Sendable) {
        switch value {
        case let value as any RenderableConstant:
            guard let constant = value.anyConstant else { return nil }
            self.init(ofDefault: constant)
        case let value as JSONValue: self = value
        case let value as JSONObject: self = .object(value)
        case let value as String: self = .string(value)
        case let value as Bool: self = .bool(value)
        case let value as Int: self = .int(value)
        case let value as Double: self = .double(value)
        case let value as any SettingEnumeration: self = .string(value.settingName)
        case let value as Duration: self = .string(value.settingSpelling)
        case let value as ByteCount: self = .int(value.bytes)
        case let value as HTTPAddress: self = .string(value.text)
        case let value as StatusSet: self = .string("\(value)")
        case let value as [any Sendable]:
            let items = value.compactMap { JSONValue(ofDefault: $0) }
            guard items.count == value.count else { return nil }
            self = .array(items)
        default: return nil
        }
    }
}

extension Duration {
    /// The duration in the largest unit that needs no fraction, such as `20m`.
    package var settingSpelling: String {
        let (seconds, attoseconds) = components
        guard attoseconds == 0 else {
            let milliseconds = Double(seconds) * 1000 + Double(attoseconds) / 1e15
            let whole = Int(exactly: milliseconds).map { "\($0)" }
            return (whole ?? JSONNumber(milliseconds).spelling) + "ms"
        }
        let units = [(86400, "d"), (3600, "h"), (60, "m")] as [(Int64, String)]
        let unit = units.first { seconds != 0 && seconds % $0.0 == 0 } ?? (1, "s")
        return "\(seconds / unit.0)\(unit.1)"
    }
}

/// A value that may be known without a build.
protocol RenderableConstant {
    var anyConstant: (any Sendable)? { get }
}

extension Renderable: RenderableConstant {
    var anyConstant: (any Sendable)? { constant }
}

// MARK: Forms

extension SettingValue {
    /// Any value.
    public static var form: ValueForm { .any }
}

extension SettingValue where Self: Settings {
    /// A mapping of these settings.
    public static var form: ValueForm { .settings(Self.self) }
}

extension SettingEnumeration {
    /// One of the names.
    public static var form: ValueForm { .choice(allCases.map(\.settingName)) }
}

extension Optional where Wrapped: SettingValue {
    /// The form of the value, or null.
    public static var form: ValueForm { .optional(Wrapped.form) }
}

extension Renderable where Value: SettingValue {
    /// The form of the value, or expressions.
    public static var form: ValueForm { .computed(Value.form) }
}

extension Array where Element: SettingValue {
    /// A list.
    public static var form: ValueForm { .list(of: Element.form) }
}

extension ExactDictionary where Value: SettingValue {
    /// A mapping.
    public static var form: ValueForm { .mapping(of: Value.form) }
}

extension Dictionary where Key == String, Value: SettingValue {
    /// A mapping.
    public static var form: ValueForm { .mapping(of: Value.form) }
}

extension String {
    /// A text.
    public static var form: ValueForm { .text }
}

extension Bool {
    /// True or false.
    public static var form: ValueForm { .boolean }
}

extension Int {
    /// A whole number.
    public static var form: ValueForm { .integer }
}

extension Double {
    /// A number.
    public static var form: ValueForm { .number }
}

extension Duration {
    /// A number of seconds, or numbers with units.
    public static var form: ValueForm { .text }
}

extension ByteCount {
    /// A number of bytes, or a number with a unit.
    public static var form: ValueForm { .text }
}

extension HTTPAddress {
    /// A text.
    public static var form: ValueForm { .text }
}

extension JSONObject {
    /// A mapping of any values.
    public static var form: ValueForm { .mapping(of: .any) }
}

extension Results {
    /// A name, or a code.
    public static var form: ValueForm { .either([.choice(allCases.map(\.settingName)), .integer]) }
}
