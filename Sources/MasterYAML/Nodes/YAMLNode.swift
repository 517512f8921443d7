/// A value of a YAML file with its location, or one built in code, without a location.
///
/// Nodes are immutable. An alias is the same node as its anchor, and therefore has the anchor's
/// location.
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
    /// The tag.
    public let tag: YAMLTag?
    /// The name of the anchor.
    public let anchor: String?
    /// The file the node was parsed from; nil when it was built in code.
    public let file: SourceFile?
    /// Whether the node replaces something that was already reported as a mistake.
    ///
    /// Such a node and its content need no further diagnostics.
    public let isPlaceholder: Bool
    /// Where the node is; nil when it was built in code.
    let place: Place?
    /// The number of nodes in this one, with aliases expanded.
    let expandedCount: Int

    /// The offsets that belong to a parsed node.
    struct Place: Sendable {
        /// From the tag, anchor or first character to the end.
        let offsets: Range<Int>
        /// The first character after tag and anchor.
        let contentStart: Int
        /// Whether a collection is in brackets or braces.
        let isFlow: Bool
    }

    init(
        kind: Kind, tag: YAMLTag? = nil, anchor: String? = nil, file: SourceFile? = nil,
        place: Place? = nil, isPlaceholder: Bool = false
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
    /// Nodes are equal if their tags and contents are equal, regardless of location.
    public static func == (left: YAMLNode, right: YAMLNode) -> Bool {
        left === right || left.tag == right.tag && left.kind == right.kind
    }

    /// Hashes tag and content.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(tag)
        hasher.combine(kind)
    }
}

extension YAMLNode {
    /// The scalar, or nil if the node is not a scalar.
    public var scalar: YAMLScalar? {
        guard case .scalar(let scalar) = kind else { return nil }
        return scalar
    }

    /// The items, or nil if the node is not a sequence.
    public var sequence: [YAMLNode]? {
        guard case .sequence(let items) = kind else { return nil }
        return items
    }

    /// The pairs, or nil if the node is not a mapping.
    public var mapping: YAMLMapping? {
        guard case .mapping(let mapping) = kind else { return nil }
        return mapping
    }

    /// The value of a scalar in YAML 1.2's core schema, or by its core tag; nil for collections.
    ///
    /// `!!str 1` and `! 1` are strings. Local tags such as `!Property` have no effect.
    public var resolved: YAMLScalar.Resolved? {
        guard let scalar else { return nil }
        switch tag?.kind {
        case .core(.str), .nonSpecific: return .string(scalar.value)
        case .core(.float):
            guard case .int(let number) = YAMLScalar.Resolved(plain: scalar.value) else {
                return YAMLScalar.Resolved(plain: scalar.value)
            }
            return .float(Double(number))
        case .core: return YAMLScalar.Resolved(plain: scalar.value)
        case .local, nil: return scalar.resolved
        }
    }

    /// Whether the node is an untagged null: empty, `~` or `null`.
    public var isNull: Bool { tag?.name == nil && resolved == .null }

    /// The kind of value for messages: `a list`, `a mapping`, `text`, `a number`.
    public var kindDescription: String {
        switch kind {
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .scalar(let scalar): (resolved ?? scalar.resolved).kindDescription
        }
    }
}

extension YAMLNode {
    /// The range of the node with tag and anchor; nil when it was built in code.
    ///
    /// A block collection ends with its last item, so comments after it are not included.
    public var range: SourceRange? {
        guard let file, let place else { return nil }
        return file.range(ofUTF8: place.offsets)
    }

    /// The range of the node without tag and anchor; nil when it was built in code.
    public var contentRange: SourceRange? {
        guard let file, let place else { return nil }
        return file.range(ofUTF8: place.contentStart..<place.offsets.upperBound)
    }

    /// Whether a collection is in brackets or braces.
    public var isFlow: Bool { place?.isFlow ?? false }

    /// The comment after a plain scalar on its line, with the `#`, as in `make # all`.
    public var trailingComment: SourceRange? {
        guard let file, let place, case .scalar(let scalar) = kind, scalar.style == .plain else {
            return nil
        }
        let rest =
            place.offsets.upperBound..<file.byteRange(ofLineAt: place.offsets.upperBound).upperBound
        guard let start = rest.first(where: { !file.bytes[$0].isBlank }), start > rest.lowerBound,
            file.bytes[start] == .hash
        else { return nil }
        return file.range(ofUTF8: start..<rest.upperBound)
    }

    /// Returns the range of a part of a scalar's value, such as `%(prop:x` inside a string.
    ///
    /// Quotes, escapes, folded lines and block indentation are taken into account. If the value
    /// cannot be mapped to the source exactly, the range is that of the whole scalar.
    ///
    /// - Parameter offsets: UTF-8 offsets into ``YAMLScalar/value``.
    /// - Returns: The range, or nil when the node was built in code or is not a scalar.
    public func range(ofUTF8 offsets: Range<Int>) -> SourceRange? {
        ScalarPlaces(of: self).range(ofUTF8: offsets)
    }

    /// Returns the range of a part of a scalar's value, if the value is in this file.
    ///
    /// - Parameter offsets: UTF-8 offsets into ``YAMLScalar/value``.
    /// - Returns: The range, or nil when the value came from elsewhere, such as another file.
    public func exactRange(ofUTF8 offsets: Range<Int>) -> SourceRange? {
        ScalarPlaces(of: self).exactRange(ofUTF8: offsets)
    }
}

/// Finds the ranges of any number of parts of one scalar's value.
///
/// The scalar is mapped to the source once, when the first range is asked for.
public final class ScalarPlaces {
    private let node: YAMLNode
    private lazy var map = makeMap()

    /// Creates a finder for parts of a node's value.
    public init(of node: YAMLNode) {
        self.node = node
    }

    /// Returns the range of a part of the value, as ``YAMLNode/range(ofUTF8:)`` does.
    public func range(ofUTF8 offsets: Range<Int>) -> SourceRange? {
        exactRange(ofUTF8: offsets) ?? content.flatMap { node.file?.range(ofUTF8: $0) }
    }

    /// Returns the range of a part of the value, as ``YAMLNode/exactRange(ofUTF8:)`` does.
    public func exactRange(ofUTF8 offsets: Range<Int>) -> SourceRange? {
        map.flatMap { map in node.file?.range(ofUTF8: map.source(of: offsets)) }
    }

    private var content: Range<Int>? {
        guard let place = node.place, case .scalar = node.kind else { return nil }
        return place.contentStart..<place.offsets.upperBound
    }

    private func makeMap() -> ScalarSourceMap? {
        guard let file = node.file, let content, let scalar = node.scalar else { return nil }
        return ScalarSourceMap(scalar: scalar, bytes: file.bytes, content: content)
    }
}

extension YAMLNode {
    /// Creates a quoted text.
    public convenience init(_ text: String, tag: YAMLTag? = nil) {
        self.init(kind: .scalar(YAMLScalar(text, style: .doubleQuoted)), tag: tag)
    }

    /// Creates a plain boolean.
    public convenience init(_ value: Bool, tag: YAMLTag? = nil) {
        self.init(kind: .scalar(YAMLScalar(value ? "true" : "false")), tag: tag)
    }

    /// Creates a plain integer.
    public convenience init(_ value: Int, tag: YAMLTag? = nil) {
        self.init(kind: .scalar(YAMLScalar(String(value))), tag: tag)
    }

    /// Creates a plain number.
    public convenience init(_ value: Double, tag: YAMLTag? = nil) {
        self.init(kind: .scalar(YAMLScalar(Self.spelling(of: value))), tag: tag)
    }

    /// Creates a scalar of a given style.
    public convenience init(_ scalar: YAMLScalar, tag: YAMLTag? = nil) {
        self.init(kind: .scalar(scalar), tag: tag)
    }

    /// Creates a list.
    public convenience init(_ items: [YAMLNode], tag: YAMLTag? = nil) {
        self.init(kind: .sequence(items), tag: tag)
    }

    /// Creates a mapping.
    public convenience init(_ mapping: YAMLMapping, tag: YAMLTag? = nil) {
        self.init(kind: .mapping(mapping), tag: tag)
    }

    /// Creates a mapping with text keys, in the order they are given.
    public convenience init(_ pairs: KeyValuePairs<String, YAMLNode>, tag: YAMLTag? = nil) {
        let entries = pairs.map { YAMLMapping.Entry(key: YAMLNode($0.key), value: $0.value) }
        self.init(kind: .mapping(YAMLMapping(entries)), tag: tag)
    }

    /// The plain scalar `null`.
    public static let null = YAMLNode(YAMLScalar("null"))

    private static func spelling(of value: Double) -> String {
        if value.isNaN { return ".nan" }
        if value.isInfinite { return value < 0 ? "-.inf" : ".inf" }
        return String(value)
    }
}

extension YAMLNode {
    /// The node without its tag.
    public var untagged: YAMLNode { tag == nil ? self : replacing(kind) }

    /// Returns a node with other content at the same location.
    public func replacing(_ kind: Kind) -> YAMLNode {
        YAMLNode(kind: kind, file: file, place: place, isPlaceholder: isPlaceholder)
    }
}

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
