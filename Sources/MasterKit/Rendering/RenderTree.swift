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
        switch node.kind {
        case .scalar: self = .constant(node)
        case .sequence(let items): self.init(items: items, of: node, with: decoder)
        case .mapping(let mapping): self.init(mapping, of: node, with: decoder)
        }
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
    func render(in context: RenderContext) throws(RenderError) -> YAMLNode {
        switch self {
        case .constant(let node):
            return node
        case .expression(let expression, let node):
            do {
                return YAMLNode(json: try expression.evaluate(in: context))
            } catch {
                throw RenderError(error.message, at: error.range ?? node?.range)
            }
        case .sequence(let items, _):
            var rendered: [YAMLNode] = []
            for item in items { rendered.append(try item.render(in: context)) }
            return YAMLNode(rendered)
        case .mapping(let pairs, let node):
            return YAMLNode(YAMLMapping(try Self.entries(pairs, of: node, in: context)))
        }
    }

    private static func entries(
        _ pairs: [(key: RenderTree, value: RenderTree)], of node: YAMLNode,
        in context: RenderContext
    ) throws(RenderError) -> [YAMLMapping.Entry] {
        var names = ExactDictionary<Bool>()
        var entries: [YAMLMapping.Entry] = []
        for pair in pairs {
            let key = try pair.key.render(in: context)
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
            entries.append(.init(key: key, value: try pair.value.render(in: context)))
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
