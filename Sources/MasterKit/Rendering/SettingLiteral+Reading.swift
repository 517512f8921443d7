extension SettingLiteral {
    /// Reads the literal as the decoder would out of a file.
    ///
    /// - Throws: ``ConfigurationError`` with everything that is wrong.
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

extension Renderable {
    /// A value parts of which are computed, as ``SettingLiteral`` writes it.
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
    /// A text with values in it.
    ///
    /// - Parameters:
    ///   - format: The text with its `%(…)s`.
    ///   - arguments: A value for each `%s`, or one mapping of the values for `%(kw:name)s`.
    /// - Throws: ``ConfigurationError`` with every malformed place.
    public init(
        _ format: String, _ arguments: SettingLiteral...
    ) throws(ConfigurationError) {
        let literal = SettingLiteral.array([.string(format)] + arguments)
        self = try literal.read { Interpolate($0, with: $1) }
    }
}

extension Template {
    /// A text made by a template.
    ///
    /// - Throws: ``ConfigurationError`` when the template is malformed.
    public init(_ text: String) throws(ConfigurationError) {
        self = try SettingLiteral.string(text).read { Template($0, with: $1) }
    }
}

extension FlattenList {
    /// The items of nested lists as one list.
    ///
    /// - Throws: ``ConfigurationError`` when an expression among the items is malformed.
    public init(_ items: [SettingLiteral]) throws(ConfigurationError) {
        self = try SettingLiteral.array(items).read { FlattenList($0, with: $1) }
    }
}

extension Field {
    /// A part of the report.
    ///
    /// - Parameter path: Names with dots between them, such as `build.number`.
    /// - Throws: ``ConfigurationError`` when it is no path.
    public init(_ path: String) throws(ConfigurationError) {
        self = try SettingLiteral.string(path).read(scope: .report) { Field($0, with: $1) }
    }
}

extension Condition {
    /// A condition such as `.equal(.property("branch"), "main")`.
    ///
    /// - Throws: ``ConfigurationError`` when it is malformed, or no condition.
    public init(_ literal: SettingLiteral) throws(ConfigurationError) {
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
