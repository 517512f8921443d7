import Synchronization

/// What is declared of one setting, with the place that its configured value is put into, once.
final class SettingSlot<Value: Sendable>: AnySetting {
    let summary: String
    let options: [SettingOption]
    private let describe: @Sendable () -> String
    private let fallback: Value?
    private let read: @Sendable (YAMLNode, SettingDecoder) -> Value?
    private let configured = Mutex<Value?>(nil)

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

    /// The configured value, or else the default.
    var value: Value? { configured.withLock { $0 } ?? fallback }

    /// Whether a value was configured.
    var isGiven: Bool { configured.withLock { $0 } != nil }

    /// The same setting with another default, not configured.
    func with(fallback: Value) -> SettingSlot {
        SettingSlot(summary, options, shape: describe, fallback: fallback, read: read)
    }

    var shape: String { describe() }

    var isRequired: Bool { fallback == nil }

    func fill(from node: YAMLNode, with decoder: SettingDecoder) -> Bool {
        guard let value = read(node, decoder) else { return false }
        configured.withLock { $0 = value }
        return true
    }
}

/// A setting of any type, as the decoder sees it.
protocol AnySetting: AnyObject, Sendable {
    var summary: String { get }
    var options: [SettingOption] { get }
    var shape: String { get }
    var isRequired: Bool { get }

    /// Reads the value of the node into the slot.
    ///
    /// - Returns: Whether there was nothing wrong with it.
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
