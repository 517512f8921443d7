/// A value of a YAML file with its place, or one that was built in code and has none.
///
/// Nodes never change. An alias is the very node that has the anchor, so its place is that of the anchor.
public final class YAMLNode: Sendable {
    /// The three kinds of nodes.
    public enum Kind: Sendable, Hashable {
        /// A single value.
        case scalar(YAMLScalar)
        /// A list.
        case sequence([YAMLNode])
        /// Pairs of keys and values.
        case mapping(YAMLMapping)
    }

    /// What the node holds.
    public let kind: Kind
    /// The tag that is written before the node.
    public let tag: YAMLTag?
    /// The name after `&`.
    public let anchor: String?
    /// The file the node was parsed from; nil when it was built in code.
    public let file: SourceFile?
    /// Whether the node stands in for something that a diagnostic has been given about already.
    ///
    /// Nothing more should be said about such a node, nor about what it seems to hold.
    public let isPlaceholder: Bool
    /// Where the node was found; nil when it was built in code.
    let place: Place?
    /// The number of nodes here and below, aliases counted each time.
    let expandedCount: Int

    /// The offsets that belong to a parsed node.
    struct Place: Sendable {
        /// From the tag, anchor or first character to the end.
        let offsets: Range<Int>
        /// The first character after tag and anchor.
        let contentStart: Int
        /// Whether a collection is written in brackets or braces.
        let isFlow: Bool
    }

    init(
        kind: Kind,
        tag: YAMLTag? = nil,
        anchor: String? = nil,
        file: SourceFile? = nil,
        place: Place? = nil,
        isPlaceholder: Bool = false
    ) {
        self.kind = kind
        self.tag = tag
        self.anchor = anchor
        self.file = file
        self.place = place
        self.isPlaceholder = isPlaceholder
        self.expandedCount = Self.expandedCount(of: kind)
    }

    private static func expandedCount(of kind: Kind) -> Int {
        let ceiling = 1 << 40
        return switch kind {
        case .scalar: 1
        case .sequence(let items): items.reduce(1) { min($0 + $1.expandedCount, ceiling) }
        case .mapping(let mapping):
            mapping.entries.reduce(1) {
                min($0 + $1.key.expandedCount + $1.value.expandedCount, ceiling)
            }
        }
    }
}

extension YAMLNode: Hashable {
    /// Nodes are equal when tag and content are, wherever they stand.
    public static func == (left: YAMLNode, right: YAMLNode) -> Bool {
        left === right || left.tag == right.tag && left.kind == right.kind
    }

    /// Feeds tag and content.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(tag)
        hasher.combine(kind)
    }
}
