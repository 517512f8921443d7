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
        case .scalar(let scalar): scalar.value.isEmpty && scalar.resolved != .null
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
        case .scalar(let scalar): return scalar.wording
        }
    }
}

extension YAMLScalar {
    fileprivate var wording: String {
        switch resolved {
        case .null: return "null"
        case .bool: return value
        case .int, .float: return "the number \(value)"
        case .string:
            let shown = value.count > 40 ? value.prefix(37) + "..." : value[...]
            return "'\(shown)'"
        }
    }
}
