/// `!FlattenList [a, [b, c]]`: the items of nested lists as one list.
public struct FlattenList: Expression {
    let items: [RenderTree]

    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        let usage = "!FlattenList [item, [item, …], …]"
        guard
            let items = decoder.operands(
                of: node, "FlattenList", count: 0...Int.max, usage: usage)
        else { return nil }
        self.items = items
    }

    /// The flattened list.
    public func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        var result: [JSONValue] = []
        for item in items {
            Self.append(JSONValue(try item.render(in: context)), to: &result)
            guard result.count <= JSONBudget.maximumValues else {
                throw RenderError("the list holds more than \(JSONBudget.maximumValues) values")
            }
        }
        return .array(result)
    }

    private static func append(_ value: JSONValue, to result: inout [JSONValue]) {
        guard case .array(let items) = value else {
            result.append(value)
            return
        }
        for item in items { append(item, to: &result) }
    }
}
