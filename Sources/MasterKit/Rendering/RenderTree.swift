/// A value in which some parts are computed at run time: list items, mapping values and keys.
indirect enum RenderTree: Sendable {
    case constant(YAMLNode)
    case expression(any Expression, at: SourceRange?)
    case sequence([RenderTree], at: SourceRange?)
    case mapping([(key: RenderTree, value: RenderTree)], at: SourceRange?)

    /// Reads a node; what is wrong with an expression in it goes to the decoder.
    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        if node.expressionName == "Env" {
            guard let value = EnvironmentVariable(node, with: decoder)?.value(with: decoder)
            else { return nil }
            self = .constant(value)
            return
        }
        if node.expressionName != nil {
            guard let expression = node.expression(with: decoder) else { return nil }
            self = .expression(expression, at: node.range)
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
            : .sequence(present, at: node.range)
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
            : .mapping(pairs, at: node.range)
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
        case .expression(let expression, let range):
            do {
                return YAMLNode(json: try expression.evaluate(in: context))
            } catch {
                throw RenderError(error.message, at: error.range ?? range)
            }
        case .sequence(let items, _):
            var rendered: [YAMLNode] = []
            for item in items { rendered.append(try item.render(in: context)) }
            return YAMLNode(rendered)
        case .mapping(let pairs, _):
            var rendered: [YAMLMapping.Entry] = []
            for pair in pairs {
                let key = try pair.key.render(in: context)
                rendered.append(.init(key: key, value: try pair.value.render(in: context)))
            }
            return YAMLNode(YAMLMapping(rendered))
        }
    }
}
