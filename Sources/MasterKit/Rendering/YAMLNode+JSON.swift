extension YAMLNode {
    /// A node for a value that stands in no file.
    public convenience init(json value: JSONValue) {
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
