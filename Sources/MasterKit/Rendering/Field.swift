/// `!Field build.number`: a value out of the template context, with its type.
public struct Field: Expression {
    let path: [String]

    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        guard case .scalar(let scalar) = node.kind else {
            decoder.error("!Field is written !Field build.number", at: node.range)
            return nil
        }
        let parts = scalar.value.split(separator: ".", omittingEmptySubsequences: false)
        guard !parts.contains(where: \.isEmpty), !parts.isEmpty else {
            decoder.error(
                "!Field needs a path of names with dots between them, as in !Field build.number",
                at: node.range)
            return nil
        }
        guard decoder.scope == .report else {
            decoder.error(
                "!Field stands only in 'format', where a report is shaped; in a build use "
                    + "!Property or !Template", at: node.range)
            return nil
        }
        path = parts.map(String.init)
        decoder.note(templateVariable: path, at: node.range)
    }

    /// The value at the path, null when there is none.
    public func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        var value = JSONValue.object(context.template)
        for part in path {
            let next = Int(part).flatMap { value[$0] } ?? value[part]
            guard let next else { return .null }
            value = next
        }
        return value
    }
}
