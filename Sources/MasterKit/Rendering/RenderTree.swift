/// A value in which some parts are computed at run time: list items, mapping values and keys.
indirect enum RenderTree: Sendable {
    case constant(YAMLNode)
    case expression(any Expression, of: YAMLNode?)
    case sequence([RenderTree], of: YAMLNode)
    case mapping([(key: RenderTree, value: RenderTree)], of: YAMLNode)

    /// Reads a node; what is wrong with an expression in it goes to the decoder.
    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        if node.isPlaceholder { return nil }
        if let loaded = LoadedTag(of: node) {
            guard let value = loaded.value(of: node, with: decoder) else { return nil }
            self.init(value, with: decoder)
            return
        }
        if node.expressionName != nil {
            guard let expression = node.expression(with: decoder) else { return nil }
            self = .expression(expression, of: node)
            return
        }
        if case .scalar = node.kind {
            self = .constant(node)
            return
        }
        let tree = decoder.descending(into: node) { () -> RenderTree? in
            switch node.kind {
            case .sequence(let items): RenderTree(items: items, of: node, with: decoder)
            case .mapping(let mapping): RenderTree(mapping, of: node, with: decoder)
            case .scalar: nil
            }
        }
        guard let tree else { return nil }
        self = tree
    }

    private init?(items: [YAMLNode], of node: YAMLNode, with decoder: SettingDecoder) {
        let trees = items.map { RenderTree($0, with: decoder) }
        let present = trees.compactMap(\.self)
        guard present.count == trees.count else { return nil }
        let constants = present.compactMap(\.constant)
        self =
            constants.count == present.count
            ? .constant(node.replacing(.sequence(constants)))
            : .sequence(present, of: node)
    }

    private init?(_ mapping: YAMLMapping, of node: YAMLNode, with decoder: SettingDecoder) {
        var pairs: [(key: RenderTree, value: RenderTree)] = []
        for entry in mapping.entries {
            let key = RenderTree(entry.key, with: decoder)
            let value = RenderTree(entry.value, with: decoder)
            if let key, let value { pairs.append((key, value)) }
        }
        guard pairs.count == mapping.entries.count else { return nil }
        let constants = pairs.compactMap { pair in
            pair.key.constant.flatMap { key in
                pair.value.constant.map { YAMLMapping.Entry(key: key, value: $0) }
            }
        }
        self =
            constants.count == pairs.count
            ? .constant(node.replacing(.mapping(YAMLMapping(constants))))
            : .mapping(pairs, of: node)
    }

    /// The value when it is known at load.
    var constant: YAMLNode? {
        if case .constant(let node) = self { node } else { nil }
    }

    /// Replaces every expression by its value.
    ///
    /// - Throws: When a value can't be computed, or the whole is too large or nests too deep.
    func render(in context: RenderContext) throws(RenderError) -> YAMLNode {
        var budget = JSONBudget()
        return try render(in: context, &budget, depth: 0)
    }

    private func render(
        in context: RenderContext, _ budget: inout JSONBudget, depth: Int
    ) throws(RenderError) -> YAMLNode {
        switch self {
        case .constant(let node):
            try charge { budget throws(JSONTooLarge) in try budget.take(node, depth: depth) }
            return node
        case .expression(let expression, let node):
            let value: JSONValue
            do {
                value = try expression.evaluate(in: context)
            } catch {
                throw RenderError(error.message, at: error.range ?? node?.range)
            }
            try charge { budget throws(JSONTooLarge) in try budget.take(value, depth: depth) }
            return YAMLNode(json: value)
        case .sequence(let items, _):
            try charge { budget throws(JSONTooLarge) in try budget.open(depth) }
            var rendered: [YAMLNode] = []
            for item in items {
                rendered.append(try item.render(in: context, &budget, depth: depth + 1))
            }
            return YAMLNode(rendered)
        case .mapping(let pairs, let node):
            try charge { budget throws(JSONTooLarge) in try budget.open(depth) }
            let entries = try Self.entries(pairs, of: node, in: context, &budget, depth: depth + 1)
            return YAMLNode(YAMLMapping(entries))
        }

        func charge(_ take: (inout JSONBudget) throws(JSONTooLarge) -> Void) throws(RenderError) {
            do {
                try take(&budget)
            } catch {
                throw RenderError("the value \(error)", at: range)
            }
        }
    }

    private static func entries(
        _ pairs: [(key: RenderTree, value: RenderTree)], of node: YAMLNode,
        in context: RenderContext, _ budget: inout JSONBudget, depth: Int
    ) throws(RenderError) -> [YAMLMapping.Entry] {
        var names = ExactDictionary<Bool>()
        var entries: [YAMLMapping.Entry] = []
        for pair in pairs {
            let key = try pair.key.render(in: context, &budget, depth: depth)
            guard let name = key.scalarText, !key.isNull else {
                throw RenderError(
                    "a key of this mapping is \(key.kindDescription), not a text",
                    at: pair.key.range ?? node.range)
            }
            guard names.updateValue(true, forKey: name) == nil else {
                throw RenderError(
                    "two keys of this mapping have the same value", at: pair.key.range ?? node.range
                )
            }
            let value = try pair.value.render(in: context, &budget, depth: depth)
            entries.append(.init(key: key, value: value))
        }
        return entries
    }

    /// Where the value stands.
    var range: SourceRange? {
        switch self {
        case .constant(let node), .sequence(_, let node), .mapping(_, let node): node.range
        case .expression(_, let node): node?.range
        }
    }
}

extension JSONBudget {
    /// Takes a node as the value that it stands for.
    fileprivate mutating func take(_ node: YAMLNode, depth: Int) throws(JSONTooLarge) {
        switch node.kind {
        case .scalar(let scalar): try take(bytes: scalar.value.utf8.count)
        case .sequence(let items):
            try open(depth)
            for item in items { try take(item, depth: depth + 1) }
        case .mapping(let mapping):
            try open(depth)
            for entry in mapping.entries {
                try take(entry.key, depth: depth + 1)
                try take(entry.value, depth: depth + 1)
            }
        }
    }
}

extension YAMLNode {
    /// A node for a value that stands in no file.
    package convenience init(json value: JSONValue) {
        switch value {
        case .null: self.init(YAMLScalar("null"))
        case .bool(let flag): self.init(flag)
        case .number(let number): self.init(YAMLScalar(number.spelling))
        case .string(let text): self.init(text)
        case .array(let items): self.init(items.map { YAMLNode(json: $0) })
        case .object(let object):
            self.init(
                YAMLMapping(
                    object.map { .init(key: YAMLNode($0.key), value: YAMLNode(json: $0.value)) }))
        }
    }
}
