extension YAMLNode {
    /// The scalar, when the node is one.
    public var scalar: YAMLScalar? {
        guard case .scalar(let scalar) = kind else { return nil }
        return scalar
    }

    /// The items, when the node is a sequence.
    public var sequence: [YAMLNode]? {
        guard case .sequence(let items) = kind else { return nil }
        return items
    }

    /// The pairs, when the node is a mapping.
    public var mapping: YAMLMapping? {
        guard case .mapping(let mapping) = kind else { return nil }
        return mapping
    }

    /// What a scalar is by YAML 1.2's core schema and its core tag, if any; nil for collections.
    ///
    /// `!!str 1` and `! 1` are strings. The application's own tags change nothing here.
    public var resolved: YAMLScalar.Resolved? {
        guard let scalar else { return nil }
        switch tag?.kind {
        case .core(.str), .nonSpecific: return .string(scalar.value)
        case .core(.float):
            guard case .int(let number) = YAMLScalar.Resolved(plain: scalar.value) else {
                return YAMLScalar.Resolved(plain: scalar.value)
            }
            return .float(Double(number))
        case .core: return YAMLScalar.Resolved(plain: scalar.value)
        case .local, .global, nil: return scalar.resolved
        }
    }

    /// Whether the node is an untagged scalar that means nothing: empty, `~` or `null`.
    public var isNull: Bool { tag?.name == nil && resolved == .null }

    /// A word for what the node holds: `a list`, `a mapping`, `text`, `a number`.
    public var kindDescription: String {
        switch kind {
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .scalar(let scalar): (resolved ?? scalar.resolved).kindDescription
        }
    }
}
