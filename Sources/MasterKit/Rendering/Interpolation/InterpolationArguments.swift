/// What follows the format of an `!Interpolate`: values by position, or by name.
struct InterpolationArguments: Sendable {
    private(set) var positional: [RenderTree] = []
    private(set) var keywords = ExactDictionary<RenderTree>()

    /// Reads the items after the format; the entries of a mapping among them are named arguments.
    init?(_ items: [YAMLNode], with decoder: SettingDecoder) {
        var isRight = true
        for item in items {
            if case .mapping(let mapping) = item.kind, Self.areNamed(item) {
                for entry in mapping.entries where !addKeyword(entry, with: decoder) {
                    isRight = false
                }
            } else if let tree = RenderTree(item, with: decoder) {
                positional.append(tree)
            } else {
                isRight = false
            }
        }
        guard isRight else { return nil }
    }

    /// Whether an item after the format is a mapping of named arguments.
    static func areNamed(_ item: YAMLNode) -> Bool {
        guard case .mapping = item.kind else { return false }
        return item.expressionName == nil
    }

    private mutating func addKeyword(
        _ entry: YAMLMapping.Entry, with decoder: SettingDecoder
    ) -> Bool {
        guard let name = entry.key.scalarText else {
            decoder.error(
                "the name of an argument of !Interpolate must be a text, not \(entry.key.wording)",
                at: entry.key.range)
            return false
        }
        guard let tree = RenderTree(entry.value, with: decoder) else { return false }
        if keywords.updateValue(tree, forKey: name) != nil {
            decoder.error(
                "!Interpolate has the argument '\(name.shortened)' twice; keep one",
                at: entry.key.range)
            return false
        }
        return true
    }
}
