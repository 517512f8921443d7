/// Settings written in Swift: literals as in JSON, with expressions at any depth.
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
/// A literal is read by the decoder that reads master.yaml, with the same checks and messages; only
/// the messages name no places.
public struct SettingLiteral: Sendable, Hashable {
    package let node: YAMLNode

    package init(_ node: YAMLNode) {
        self.node = node
    }

    /// Creates a constant value.
    public init(_ value: JSONValue) {
        node = YAMLNode(json: value)
    }

    /// Creates a mapping of constant values.
    public init(_ values: JSONObject) {
        node = YAMLNode(json: .object(values))
    }

    /// A string.
    public static func string(_ text: String) -> SettingLiteral {
        SettingLiteral(YAMLNode(text))
    }

    /// An integer.
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
    /// Creates a string.
    public init(stringLiteral text: String) {
        self.init(YAMLNode(text))
    }
}

extension SettingLiteral: ExpressibleByBooleanLiteral {
    /// Creates a boolean.
    public init(booleanLiteral value: Bool) {
        self.init(YAMLNode(value))
    }
}

extension SettingLiteral: ExpressibleByIntegerLiteral {
    /// Creates an integer.
    public init(integerLiteral number: Int) {
        self.init(YAMLNode(number))
    }
}

extension SettingLiteral: ExpressibleByFloatLiteral {
    /// Creates a number.
    public init(floatLiteral number: Double) {
        self.init(YAMLNode(number))
    }
}

extension SettingLiteral: ExpressibleByNilLiteral {
    /// Creates null.
    public init(nilLiteral: ()) {
        self.init(YAMLNode.null)
    }
}

extension SettingLiteral: ExpressibleByArrayLiteral {
    /// Creates a list.
    public init(arrayLiteral items: SettingLiteral...) {
        self.init(YAMLNode(items.map(\.node)))
    }
}

extension SettingLiteral: ExpressibleByDictionaryLiteral {
    /// Creates a mapping, whose keys may be computed as well.
    public init(dictionaryLiteral pairs: (SettingLiteral, SettingLiteral)...) {
        let entries = pairs.map { YAMLMapping.Entry(key: $0.node, value: $1.node) }
        self.init(YAMLNode(YAMLMapping(entries)))
    }
}

extension SettingLiteral {
    /// Reads the literal as the decoder reads a file.
    ///
    /// - Throws: ``ConfigurationError`` with all errors found.
    func read<Value>(
        scope: RenderScope = .build, _ read: (YAMLNode, SettingDecoder) -> Value?
    ) throws(ConfigurationError) -> Value {
        let decoder = SettingDecoder(scope: scope)
        guard let value = read(node, decoder), !decoder.hasErrors else {
            throw ConfigurationError(decoder.diagnostics)
        }
        return value
    }
}

extension Renderable where Value: SettingValue {
    /// Creates a value with computed parts from a ``SettingLiteral``.
    ///
    /// ```swift
    /// let isMain = try Renderable<Bool>(computing: .equal(.property("branch"), "main"))
    /// ```
    ///
    /// - Parameters:
    ///   - literal: The value.
    ///   - scope: What its expressions may refer to.
    /// - Throws: ``ConfigurationError`` with everything that is wrong.
    public init(
        computing literal: SettingLiteral, scope: RenderScope = .build
    ) throws(ConfigurationError) {
        self = try literal.read(scope: scope) { $1.decode(Self.self, from: $0) }
    }
}

extension Interpolate {
    /// Creates a string with interpolated values.
    ///
    /// - Parameters:
    ///   - format: The text with its `%(…)s`.
    ///   - arguments: A value for each `%s`, or one mapping of the values for `%(kw:name)s`.
    /// - Throws: ``ConfigurationError`` with all syntax errors.
    package init(_ format: String, _ arguments: SettingLiteral...) throws(ConfigurationError) {
        let literal = SettingLiteral.array([.string(format)] + arguments)
        self = try literal.read { Interpolate($0, with: $1) }
    }
}

extension Template {
    /// Creates a string rendered from a template.
    ///
    /// - Throws: ``ConfigurationError`` if the template is malformed.
    package init(_ text: String) throws(ConfigurationError) {
        self = try SettingLiteral.string(text).read { Template($0, with: $1) }
    }
}

extension FlattenList {
    /// Creates a list of the items of nested lists.
    ///
    /// - Throws: ``ConfigurationError`` if an expression among the items is malformed.
    package init(_ items: [SettingLiteral]) throws(ConfigurationError) {
        self = try SettingLiteral.array(items).read { FlattenList($0, with: $1) }
    }
}

extension Field {
    /// Creates a reference to a part of the report.
    ///
    /// - Parameter path: Names separated by dots, such as `build.number`.
    /// - Throws: ``ConfigurationError`` if it is not a valid path.
    package init(_ path: String) throws(ConfigurationError) {
        self = try SettingLiteral.string(path).read(scope: .report) { Field($0, with: $1) }
    }
}

extension Condition {
    /// Creates a condition such as `.equal(.property("branch"), "main")`.
    ///
    /// - Throws: ``ConfigurationError`` if it is malformed, or not a condition.
    package init(_ literal: SettingLiteral) throws(ConfigurationError) {
        self = try literal.read { node, decoder in
            let tag = node.expressionName.flatMap { ExpressionTag(rawValue: $0) }
            guard let tag, tag.isCondition else {
                return decoder.error(
                    "a condition is needed, such as .equal(…), not \(node.wording)", at: nil)
            }
            return Condition(tag, node, with: decoder)
        }
    }
}

/// The expressions of master.yaml, with the same names.
extension SettingLiteral {
    /// `!Property`: the value of a property, with its type.
    ///
    /// - Parameters:
    ///   - name: The property's name.
    ///   - fallback: The value if the property is missing, which may be computed.
    ///   - replacesFalse: Whether the fallback also replaces false, 0, null and empty values.
    /// - Returns: The expression.
    public static func property(
        _ name: String, default fallback: SettingLiteral? = nil,
        defaultWhenFalse replacesFalse: Bool = true
    ) -> SettingLiteral {
        guard let fallback else { return tagged(.property, name) }
        let form: KeyValuePairs = [
            "key": YAMLNode(name), "default": fallback.node,
            "defaultWhenFalse": YAMLNode(replacesFalse),
        ]
        let tag = YAMLTag(local: ExpressionTag.property.rawValue)
        return SettingLiteral(YAMLNode(form, tag: tag))
    }

    /// `!Interpolate`: a string with interpolated values.
    ///
    /// - Parameters:
    ///   - format: The text with its `%(…)s`.
    ///   - arguments: A value for each `%s`, or one mapping of the values for `%(kw:name)s`.
    /// - Returns: The expression.
    public static func interpolate(
        _ format: String, _ arguments: SettingLiteral...
    ) -> SettingLiteral {
        tagged(.interpolate, [.string(format)] + arguments)
    }

    /// `!Template`: a string rendered from a template.
    public static func template(_ text: String) -> SettingLiteral {
        tagged(.template, text)
    }

    /// `!Secret`: the value of a secret.
    public static func secret(_ name: String) -> SettingLiteral {
        tagged(.secret, name)
    }

    /// `!FlattenList`: the items of nested lists as one list.
    public static func flattenList(_ items: [SettingLiteral]) -> SettingLiteral {
        tagged(.flattenList, items)
    }

    /// `!Field`: a part of the report, with its type, for values in report scope.
    public static func field(_ path: String) -> SettingLiteral {
        tagged(.field, path)
    }

    /// `!Equal`: whether two values are equal.
    public static func equal(_ one: SettingLiteral, _ other: SettingLiteral) -> SettingLiteral {
        tagged(.equal, [one, other])
    }

    /// `!NotEqual`: whether two values are different.
    public static func notEqual(_ one: SettingLiteral, _ other: SettingLiteral) -> SettingLiteral {
        tagged(.notEqual, [one, other])
    }

    /// `!OneOf`: whether a value is in a list.
    public static func oneOf(_ value: SettingLiteral, _ list: SettingLiteral) -> SettingLiteral {
        tagged(.oneOf, [value, list])
    }

    /// `!Matches`: whether a regular expression matches anywhere in a value.
    public static func matches(_ value: SettingLiteral, _ pattern: String) -> SettingLiteral {
        tagged(.matches, [value, .string(pattern)])
    }

    /// `!All`: whether all conditions are true.
    public static func all(_ conditions: [SettingLiteral]) -> SettingLiteral {
        tagged(.all, conditions)
    }

    /// `!Any`: whether at least one of the conditions is true.
    public static func any(_ conditions: [SettingLiteral]) -> SettingLiteral {
        tagged(.any, conditions)
    }

    /// `!Not`: whether a condition is false.
    public static func not(_ condition: SettingLiteral) -> SettingLiteral {
        tagged(.not, [condition])
    }

    /// `!Results`: whether the result so far is one of these.
    public static func results(_ wanted: [Results]) -> SettingLiteral {
        tagged(.results, wanted.map { .string($0.name) })
    }

    private static func tagged(_ tag: ExpressionTag, _ text: String) -> SettingLiteral {
        SettingLiteral(YAMLNode(text, tag: YAMLTag(local: tag.rawValue)))
    }

    private static func tagged(_ tag: ExpressionTag, _ items: [SettingLiteral]) -> SettingLiteral {
        SettingLiteral(YAMLNode(items.map(\.node), tag: YAMLTag(local: tag.rawValue)))
    }
}
