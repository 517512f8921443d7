/// Pairs of key and value in the order of the file, merge keys already applied.
public struct YAMLMapping: Sendable {
    /// A key and its value.
    public struct Entry: Sendable, Hashable {
        /// The key, usually a scalar.
        public let key: YAMLNode
        /// The value; an empty plain scalar when nothing is written.
        public let value: YAMLNode

        /// Creates a pair.
        public init(key: YAMLNode, value: YAMLNode) {
            self.key = key
            self.value = value
        }
    }

    /// All pairs in order.
    public let entries: [Entry]
    /// The indices of untagged scalar keys; nil for small mappings, where a linear search is fast
    /// enough.
    ///
    /// Keys are compared as bytes, because Swift treats canonically equivalent strings as equal,
    /// while YAML and JSON do not.
    private let index: [[UInt8]: Int]?

    /// Creates a mapping; looking up a duplicate key returns the first entry.
    public init(_ entries: [Entry]) {
        self.entries = entries
        self.index = entries.count > 8 ? Self.index(of: entries) : nil
    }

    /// The value of a key, if any.
    public subscript(key: String) -> YAMLNode? { entry(for: key)?.value }

    /// Returns the entry of a key, if any.
    public func entry(for key: String) -> Entry? {
        if let index { return index[Array(key.utf8)].map { entries[$0] } }
        return entries.first { $0.key.plainKey?.utf8.elementsEqual(key.utf8) ?? false }
    }

    private static func index(of entries: [Entry]) -> [[UInt8]: Int] {
        var index: [[UInt8]: Int] = [:]
        for (place, entry) in entries.enumerated() {
            guard let key = entry.key.plainKey.map({ Array($0.utf8) }), index[key] == nil else {
                continue
            }
            index[key] = place
        }
        return index
    }
}

extension YAMLMapping: Hashable {
    /// Mappings are equal when they have equal pairs in the same order.
    public static func == (left: YAMLMapping, right: YAMLMapping) -> Bool {
        left.entries == right.entries
    }

    /// Hashes the entries.
    public func hash(into hasher: inout Hasher) { hasher.combine(entries) }
}

extension YAMLNode {
    /// The text of the node as a key of a mapping; nil for collections and tagged keys.
    fileprivate var plainKey: String? {
        guard case .scalar(let scalar) = kind, tag?.name == nil else { return nil }
        return scalar.value
    }
}
