import MasterKit

/// A mistake made in a file by machine.
struct Mutation: Sendable {
    /// The kind of mistake.
    enum Kind: String, CaseIterable, Sendable {
        /// A key has a letter too much.
        case misspelt
        /// A key and its value are missing.
        case dropped
        /// A key occurs twice.
        case doubled
        /// An empty mapping stands in place of a value.
        case mapping
        /// A list of an empty mapping, or of a text for a mapping, stands in place of a value.
        case list
        /// A text stands in place of a list or a mapping.
        case text
    }

    let kind: Kind
    /// The names of the keys from the top to the one that the mistake is about; `-` for an item.
    let path: [String]
    /// The offsets of what is replaced, and what stands there instead.
    let edit: (range: Range<Int>, text: String)
    /// The lines in the new text where a diagnostic about the mistake may be.
    let lines: ClosedRange<Int>
}

extension Mutation: CustomStringConvertible {
    var description: String { "\(kind.rawValue) \(path.joined(separator: "/"))" }
}

extension Mutation {
    /// Every mutation of every key of a file.
    static func all(of text: String) -> [Mutation] {
        guard let root = YAMLParser.parse(text, name: "").root else { return [] }
        var maker = MutationMaker(text: text)
        maker.visit(root, [], owner: root.range)
        return maker.found
    }

    /// The text with mistakes, none of which overlaps another.
    static func apply(_ mutations: [Mutation], to text: String) -> String {
        var bytes = Array(text.utf8)
        for mutation in mutations.sorted(by: { $0.edit.range.lowerBound > $1.edit.range.lowerBound }
        ) {
            bytes.replaceSubrange(mutation.edit.range, with: mutation.edit.text.utf8)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Finds the mutations of a file.
private struct MutationMaker {
    let text: String
    var found: [Mutation] = []

    /// Adds the mutations of all keys in a node.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - path: The keys around it.
    ///   - owner: Where it is said that something in the node is missing.
    mutating func visit(_ node: YAMLNode, _ path: [String], owner: SourceRange?) {
        switch node.kind {
        case .scalar: break
        case .sequence(let items):
            for item in items where isInside(item, node) {
                visit(item, path + ["-"], owner: item.range ?? owner)
            }
        case .mapping(let mapping):
            let entries = mapping.entries
            // Keys that come from an alias are elsewhere in the file.
            guard entries.allSatisfy({ isInside($0.key, node) && isInside($0.value, node) })
            else { return }
            for index in entries.indices {
                mutate(entries, index, of: node, path, owner: owner)
                let key = entries[index].key
                visit(
                    entries[index].value, path + [key.scalarText ?? "?"],
                    owner: union(key.range, entries[index].value.range))
            }
        }
    }

    private func isInside(_ inner: YAMLNode, _ outer: YAMLNode) -> Bool {
        guard let inner = inner.range, let outer = outer.range else { return false }
        return outer.start <= inner.start && inner.end <= outer.end
    }

    private func union(_ one: SourceRange?, _ other: SourceRange?) -> SourceRange? {
        guard let one, let other else { return one ?? other }
        return SourceRange(start: one.start, end: max(one.end, other.end))
    }

    private mutating func mutate(
        _ entries: [YAMLMapping.Entry], _ index: Int, of node: YAMLNode, _ path: [String],
        owner: SourceRange?
    ) {
        let (key, value) = (entries[index].key, entries[index].value)
        guard let name = key.scalarText, let keyRange = key.range, let valueRange = value.range,
            let whole = union(keyRange, valueRange), let owner, key.scalar?.style == .plain
        else { return }
        let path = path + [name]
        func add(
            _ kind: Mutation.Kind, _ range: Range<Int>, _ text: String, near place: SourceRange,
            isTwice: Bool = false
        ) {
            let height = max(place.end.line - place.start.line, 0) + 1
            found.append(
                Mutation(
                    kind: kind, path: path, edit: (range, text),
                    lines: place.start.line...(place.start.line + height * (isTwice ? 2 : 1))))
        }
        let middle = name.index(name.startIndex, offsetBy: name.count / 2)
        add(
            .misspelt, keyRange.start.offset..<keyRange.end.offset,
            name[..<middle] + "q" + name[middle...], near: keyRange)
        // What else refers to an anchor would be another mistake.
        guard !value.contains(where: { $0.anchor != nil }) else { return }
        let separator =
            node.isFlow ? ", " : "\n" + String(repeating: " ", count: keyRange.start.column - 1)
        let entry = String(
            decoding: Array(text.utf8)[keyRange.start.offset..<contentEnd(of: whole)],
            as: UTF8.self)
        add(
            .doubled, keyRange.start.offset..<keyRange.start.offset, entry + separator,
            near: whole, isTwice: true)
        if entries.count == 1 {
            add(
                .dropped, whole.start.offset..<contentEnd(of: whole), node.isFlow ? "" : "{}",
                near: owner)
        } else if index + 1 < entries.count, let next = entries[index + 1].key.range {
            add(.dropped, keyRange.start.offset..<next.start.offset, "", near: owner)
        } else if let last = entries[index - 1].value.range {
            let start = last.end.offset > 0 ? contentEnd(of: last) : last.end.offset
            add(.dropped, start..<contentEnd(of: whole), "", near: owner)
        }
        guard valueRange.start.offset > keyRange.end.offset else { return }
        let end = contentEnd(of: valueRange)
        let range = valueRange.start.offset..<max(end, valueRange.start.offset)
        let space = valueRange.isEmpty ? " " : ""
        if value.mapping == nil { add(.mapping, range, space + "{}", near: whole) }
        if value.sequence == nil {
            add(.list, range, space + (value.mapping == nil ? "[{}]" : "[zzz]"), near: whole)
        }
        if value.scalar == nil { add(.text, range, "zzz", near: whole) }
    }

    /// The end of a range without the line ends at its end, as of a block of text.
    private func contentEnd(of range: SourceRange) -> Int {
        let bytes = Array(text.utf8)
        var end = range.end.offset
        while end > range.start.offset, [10, 13, 32].contains(bytes[end - 1]) { end -= 1 }
        return end
    }
}

extension YAMLNode {
    /// Whether the node or any descendant satisfies a condition.
    fileprivate func contains(where condition: (YAMLNode) -> Bool) -> Bool {
        if condition(self) { return true }
        return switch kind {
        case .scalar: false
        case .sequence(let items): items.contains { $0.contains(where: condition) }
        case .mapping(let mapping): mapping.entries.contains { $0.value.contains(where: condition) }
        }
    }

    /// The value as editors hand it to a JSON Schema: a tagged scalar is a text.
    ///
    /// - Parameter marksTags: Whether a value that a build computes is an object with the key `!`
    ///   instead, so that it differs from a text.
    /// - Returns: The value as JSON.
    func schemaInstance(marksTags: Bool = false) -> JSONValue {
        if marksTags, let name = tag?.name, !["Env", "File"].contains(name) {
            return ["!": .string(name)]
        }
        switch kind {
        case .sequence(let items):
            return .array(items.map { $0.schemaInstance(marksTags: marksTags) })
        case .mapping(let mapping):
            let members = mapping.entries.map {
                ($0.key.scalar?.value ?? "", $0.value.schemaInstance(marksTags: marksTags))
            }
            return .object(JSONObject(members))
        case .scalar(let scalar):
            guard tag?.name == nil else { return .string(scalar.value) }
            return switch resolved {
            case .null: .null
            case .bool(let value): .bool(value)
            case .int(let value): .int(value)
            case .float(let value): .double(value)
            case .string, nil: .string(scalar.value)
            }
        }
    }
}
