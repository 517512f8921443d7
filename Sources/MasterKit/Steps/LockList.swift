/// The setting `locks`: the locks that a step or a builder needs, and how it shares them.
///
/// In a file: `[db]`, `{db: counting}`, or `[{db: {counting: 2}}, gpu]`.
public struct LockList: SettingValue, Hashable {
    /// A lock that is needed.
    public struct Item: Sendable, Hashable {
        /// The name of the lock.
        public let name: String
        /// How many units of the lock's `maxCount` are needed, or `nil` for exclusive access.
        public let count: Int?
        /// The location of the name, unless it was computed.
        package let range: SourceRange?

        /// Creates a need for a lock.
        public init(_ name: String, count: Int? = nil) {
            self.init(name, count: count, at: nil)
        }

        init(_ name: String, count: Int?, at range: SourceRange?) {
            self.name = name
            self.count = count
            self.range = range
        }
    }

    /// The locks in the order of the file.
    public let items: [Item]

    /// Creates a list.
    public init(_ items: [Item] = []) {
        self.items = items
    }

    /// A description of the accepted values, for error messages.
    public static var shape: String { "a list of locks such as [db] or [{db: counting}]" }

    /// The form of the accepted values.
    public static var form: ValueForm {
        .either([
            .text, .mapping(of: Access.form),
            .list(of: .either([.text, .mapping(of: Access.form)])),
        ])
    }

    /// Reads a name, a list, or a mapping of names to kinds of access.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> LockList? {
        let parts: [[Item]?]
        if case .sequence(let nodes) = node.kind {
            parts = nodes.map { node in
                guard node.sequence != nil else { return read(node, with: decoder) }
                return decoder.error(
                    "a lock of \(decoder.subject) is a name, or a mapping such as {db: counting}, "
                        + "not a list", at: node.range)
            }
        } else {
            parts = [read(node, with: decoder)]
        }
        let items = parts.compactMap(\.self).flatMap(\.self)
        guard parts.allSatisfy({ $0 != nil }) else { return nil }
        for (index, item) in items.enumerated() {
            if items[..<index].contains(where: { $0.name == item.name }) {
                return decoder.error(
                    "\(decoder.subject) has the lock '\(item.name)' twice; keep one", at: item.range
                )
            }
        }
        return LockList(items)
    }

    private static func read(_ node: YAMLNode, with decoder: SettingDecoder) -> [Item]? {
        switch node.kind {
        case .scalar where !node.isNull:
            return name(node, with: decoder).map {
                [noted(Item($0, count: nil, at: node.range ?? decoder.insertion), by: decoder)]
            }
        case .mapping(let mapping) where node.tag?.name == nil:
            let items = mapping.entries.map { entry -> Item? in
                guard let name = name(entry.key, with: decoder),
                    let access = decoder.decode(Access.self, from: entry.value)
                else { return nil }
                return noted(
                    Item(name, count: access.count, at: entry.key.range ?? decoder.insertion),
                    by: decoder)
            }
            let present = items.compactMap(\.self)
            return present.count == items.count ? present : nil
        default:
            return decoder.mismatch(node, expected: shape)
        }
    }

    private static func noted(_ item: Item, by decoder: SettingDecoder) -> Item {
        decoder.note(item)
        return item
    }

    private static func name(_ node: YAMLNode, with decoder: SettingDecoder) -> String? {
        guard let name = decoder.decode(String.self, from: node) else { return nil }
        return name.isEmpty ? decoder.mismatch(node, expected: shape) : name
    }

    /// `exclusive`, `counting`, or `{counting: N}`.
    private struct Access: SettingValue {
        let count: Int?

        static var shape: String { "exclusive, counting or {counting: 2}" }

        static var form: ValueForm {
            .optional(.either([.choice(["exclusive", "counting"]), .mapping(of: .integer)]))
        }

        static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Access? {
            if case .mapping(let mapping) = node.kind, mapping.entries.count == 1,
                let entry = mapping.entries.first, entry.key.scalarText == "counting"
            {
                guard let count = decoder.decode(Int.self, from: entry.value), count > 0 else {
                    return decoder.mismatch(node, expected: shape)
                }
                return Access(count: count)
            }
            switch node.isNull ? "exclusive" : node.scalarText {
            case "exclusive": return Access(count: nil)
            case "counting": return Access(count: 1)
            default: return decoder.mismatch(node, expected: shape)
            }
        }
    }
}
