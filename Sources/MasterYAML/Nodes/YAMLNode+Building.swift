extension YAMLNode {
    /// Creates a quoted text.
    public convenience init(_ text: String, tag: YAMLTag? = nil) {
        self.init(kind: .scalar(YAMLScalar(text, style: .doubleQuoted)), tag: tag)
    }

    /// Creates a plain boolean.
    public convenience init(_ value: Bool, tag: YAMLTag? = nil) {
        self.init(kind: .scalar(YAMLScalar(value ? "true" : "false")), tag: tag)
    }

    /// Creates a plain integer.
    public convenience init(_ value: Int, tag: YAMLTag? = nil) {
        self.init(kind: .scalar(YAMLScalar(String(value))), tag: tag)
    }

    /// Creates a plain number.
    public convenience init(_ value: Double, tag: YAMLTag? = nil) {
        self.init(kind: .scalar(YAMLScalar(Self.spelling(of: value))), tag: tag)
    }

    /// Creates a scalar of a given style.
    public convenience init(_ scalar: YAMLScalar, tag: YAMLTag? = nil) {
        self.init(kind: .scalar(scalar), tag: tag)
    }

    /// Creates a list.
    public convenience init(_ items: [YAMLNode], tag: YAMLTag? = nil) {
        self.init(kind: .sequence(items), tag: tag)
    }

    /// Creates a mapping.
    public convenience init(_ mapping: YAMLMapping, tag: YAMLTag? = nil) {
        self.init(kind: .mapping(mapping), tag: tag)
    }

    /// Creates a mapping with text keys, in the order they are given.
    public convenience init(_ pairs: KeyValuePairs<String, YAMLNode>, tag: YAMLTag? = nil) {
        let entries = pairs.map { YAMLMapping.Entry(key: YAMLNode($0.key), value: $0.value) }
        self.init(kind: .mapping(YAMLMapping(entries)), tag: tag)
    }

    /// The plain scalar `null`.
    public static let null = YAMLNode(YAMLScalar("null"))

    private static func spelling(of value: Double) -> String {
        if value.isNaN { return ".nan" }
        if value.isInfinite { return value < 0 ? "-.inf" : ".inf" }
        return String(value)
    }
}
