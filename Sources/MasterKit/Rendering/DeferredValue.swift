/// Any value, parts of which may be computed at run time.
public struct DeferredValue: SettingValue, RenderableValue {
    let tree: RenderTree

    /// Any value.
    public static var shape: String { "any value" }

    /// Reads a value and checks the expressions in it.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> DeferredValue? {
        let start = decoder.keptCount
        let tree = RenderTree(node, with: decoder)
        if let constant = tree?.constant {
            guard decoder.decode(JSONValue.self, from: constant) != nil else { return nil }
        } else {
            decoder.probing(since: start) { _ = decoder.decode(JSONValue.self, from: node) }
        }
        return tree.map { DeferredValue(tree: $0) }
    }

    /// Computes the value.
    public func render(in context: RenderContext) throws(RenderError) -> JSONValue {
        JSONValue(try tree.render(in: context))
    }
}

extension JSONValue {
    /// The value of a node in which nothing is left to be computed.
    init(_ node: YAMLNode) {
        switch node.kind {
        case .scalar(let scalar): self.init(scalar, as: node.resolved)
        case .sequence(let items): self = .array(items.map { JSONValue($0) })
        case .mapping(let mapping):
            self = .object(
                JSONObject(mapping.entries.map { ($0.key.scalarText ?? "", JSONValue($0.value)) }))
        }
    }
}
