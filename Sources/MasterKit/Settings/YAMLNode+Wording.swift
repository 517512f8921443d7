extension YAMLNode {
    /// The name of the tag that asks for an expression; core tags such as `!!str` do not count.
    var expressionName: String? { tag?.name }

    /// The text of an untagged scalar, whatever its type.
    public var scalarText: String? {
        guard case .scalar(let scalar) = kind, expressionName == nil else { return nil }
        return scalar.value
    }

    /// Whether the node is an empty text, list or mapping.
    var isEmpty: Bool {
        guard expressionName == nil else { return false }
        return switch kind {
        case .scalar(let scalar): scalar.value.isEmpty && !isNull
        case .sequence(let items): items.isEmpty
        case .mapping(let mapping): mapping.entries.isEmpty
        }
    }

    /// What the node is, in words, for messages.
    public var wording: String {
        if let expressionName { return "!\(expressionName)" }
        switch kind {
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        case .scalar(let scalar): return wording(of: scalar)
        }
    }

    private func wording(of scalar: YAMLScalar) -> String {
        switch resolved {
        case .null: "null"
        case .bool: scalar.value
        case .int, .float: "the number \(scalar.value.shortened)"
        case .string, nil: "'\(scalar.value.shortened)'"
        }
    }

    /// Whether a part of the node stands in for something that was reported already.
    var holdsPlaceholder: Bool {
        if isPlaceholder { return true }
        return switch kind {
        case .scalar: false
        case .sequence(let items): items.contains(where: \.holdsPlaceholder)
        case .mapping(let mapping):
            mapping.entries.contains { $0.key.holdsPlaceholder || $0.value.holdsPlaceholder }
        }
    }
}
