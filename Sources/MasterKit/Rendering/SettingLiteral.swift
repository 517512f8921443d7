/// Settings as Swift code gives them: literals as in JSON, with expressions at any depth.
///
/// ```swift
/// let step = try POST.configured([
///     "url": "http://127.0.0.1:9980/builds",
///     "params": ["branch": .property("branch", default: "main")],
///     "headers": ["X-Token": .secret("token")],
///     "data": .interpolate("%(prop:buildername)s of %(src::revision)s"),
/// ])
/// ```
///
/// What is given so is read by the decoder that reads master.yaml, with the same checks and
/// messages; only places it has none.
public struct SettingLiteral: Sendable, Hashable {
    let node: YAMLNode

    init(_ node: YAMLNode) {
        self.node = node
    }

    /// A value that is known now.
    public init(_ value: JSONValue) {
        node = YAMLNode(json: value)
    }

    /// A mapping of values that are known now.
    public init(_ values: JSONObject) {
        node = YAMLNode(json: .object(values))
    }

    /// A text.
    public static func string(_ text: String) -> SettingLiteral {
        SettingLiteral(YAMLNode(text))
    }

    /// A whole number.
    public static func int(_ number: Int) -> SettingLiteral {
        SettingLiteral(YAMLNode(number))
    }

    /// True or false.
    public static func bool(_ value: Bool) -> SettingLiteral {
        SettingLiteral(YAMLNode(value))
    }

    /// A list.
    public static func array(_ items: [SettingLiteral]) -> SettingLiteral {
        SettingLiteral(YAMLNode(items.map(\.node)))
    }
}

extension SettingLiteral: ExpressibleByStringInterpolation {
    /// Makes a text.
    public init(stringLiteral text: String) {
        self.init(YAMLNode(text))
    }
}

extension SettingLiteral: ExpressibleByBooleanLiteral {
    /// Makes true or false.
    public init(booleanLiteral value: Bool) {
        self.init(YAMLNode(value))
    }
}

extension SettingLiteral: ExpressibleByIntegerLiteral {
    /// Makes a whole number.
    public init(integerLiteral number: Int) {
        self.init(YAMLNode(number))
    }
}

extension SettingLiteral: ExpressibleByFloatLiteral {
    /// Makes a number.
    public init(floatLiteral number: Double) {
        self.init(YAMLNode(number))
    }
}

extension SettingLiteral: ExpressibleByNilLiteral {
    /// Makes null.
    public init(nilLiteral: ()) {
        self.init(YAMLNode.null)
    }
}

extension SettingLiteral: ExpressibleByArrayLiteral {
    /// Makes a list.
    public init(arrayLiteral items: SettingLiteral...) {
        self.init(YAMLNode(items.map(\.node)))
    }
}

extension SettingLiteral: ExpressibleByDictionaryLiteral {
    /// Makes a mapping, whose keys may be computed, too.
    public init(dictionaryLiteral pairs: (SettingLiteral, SettingLiteral)...) {
        let entries = pairs.map { YAMLMapping.Entry(key: $0.node, value: $1.node) }
        self.init(YAMLNode(YAMLMapping(entries)))
    }
}
