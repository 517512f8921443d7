/// Knows which keys a mapping has had so far.
struct KeyRegister {
    /// The number of keys up to which looking at all of them is faster than hashing.
    private static let fewKeys = 8

    private var few: [(identity: YAMLNode.Identity, key: YAMLNode)] = []
    private var many: [YAMLNode.Identity: YAMLNode] = [:]

    /// Returns the equal key that came before; nil when there is none, and then the key is noted.
    mutating func firstEqual(to key: YAMLNode) -> YAMLNode? {
        let identity = key.identity
        if many.isEmpty {
            if let first = few.first(where: { $0.identity == identity }) { return first.key }
            few.append((identity, key))
            guard few.count > Self.fewKeys else { return nil }
            for (identity, key) in few { many[identity] = key }
            return nil
        }
        if let first = many[identity] { return first }
        many[identity] = key
        return nil
    }
}
