extension Composer {
    /// Returns the entries of a mapping from alternating keys and values, with duplicates reported
    /// and merge keys applied.
    mutating func entries(of items: [YAMLNode]) -> [YAMLMapping.Entry] {
        var entries: [YAMLMapping.Entry] = []
        entries.reserveCapacity(items.count / 2)
        var seen = SeenKeys()
        var mergePlace: Int?
        var merged: [YAMLMapping.Entry] = []
        for index in stride(from: 0, to: items.count - 1, by: 2) {
            let entry = YAMLMapping.Entry(key: items[index], value: items[index + 1])
            if !entry.key.isPlaceholder, let first = seen.firstEqual(to: entry.key) {
                reportDuplicate(entry.key, first: first)
                continue
            }
            guard entry.key.isMergeKey else {
                entries.append(entry)
                continue
            }
            mergePlace = entries.count
            merged = mergeSources(entry.value).flatMap(\.entries)
        }
        guard let mergePlace else { return entries }
        let additions = merged.filter { seen.firstEqual(to: $0.key) == nil }
        entries.insert(contentsOf: additions, at: mergePlace)
        return entries
    }

    private mutating func reportDuplicate(_ key: YAMLNode, first: YAMLNode) {
        guard hasRoom(), let place = key.place else { return }
        let text = key.scalar?.value ?? file.text(ofUTF8: place.offsets)
        let remedy =
            key.isMergeKey
            ? "write one '<<' with a list, as in <<: [*a, *b]" : "remove one of the two"
        report(
            "duplicate key '\(text.clipped)'; \(remedy)", place.offsets,
            notes: [Diagnostic.Note("first defined here", range: first.range)])
    }

    /// Returns the mappings given to `<<`, in order of precedence.
    private mutating func mergeSources(_ value: YAMLNode) -> [YAMLMapping] {
        let values = value.sequence ?? [value]
        var mappings: [YAMLMapping] = []
        for value in values where !value.isPlaceholder {
            if let mapping = value.mapping {
                mappings.append(mapping)
            } else if let place = value.place {
                report(
                    "'<<' takes a mapping or a list of mappings, but this is "
                        + "\(value.kindDescription)", place.offsets)
            }
        }
        return mappings
    }
}

extension YAMLNode {
    /// The identity of a mapping key: its tag and the bytes of its text, regardless of quotes.
    enum Identity: Hashable {
        case text([UInt8])
        case merge
        indirect case tagged(YAMLTag, Identity)
        case sequence([Identity])
        case mapping([Identity])
    }

    var identity: Identity {
        let bare: Identity =
            switch kind {
            case .scalar(let scalar): isMergeKey ? .merge : .text(Array(scalar.value.utf8))
            case .sequence(let items): .sequence(items.map(\.identity))
            case .mapping(let mapping):
                .mapping(mapping.entries.flatMap { [$0.key.identity, $0.value.identity] })
            }
        guard let tag, tag.name != nil else { return bare }
        return .tagged(tag, bare)
    }

    var isMergeKey: Bool {
        guard case .scalar(let scalar) = kind else { return false }
        return tag == nil && scalar.style == .plain && scalar.value == "<<"
    }
}

/// The keys of a mapping so far.
struct SeenKeys {
    /// The number of keys up to which a linear search is faster than hashing.
    private static let fewKeys = 8

    private var few: [(identity: YAMLNode.Identity, key: YAMLNode)] = []
    private var many: [YAMLNode.Identity: YAMLNode] = [:]

    /// Returns an earlier, equal key; if there is none, adds the key and returns nil.
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
