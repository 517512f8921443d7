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

extension Composer {
    /// Reports a flow mapping that is valid YAML but clearly a mistake; returns whether it is one.
    mutating func reportFlowMistakes(in frame: Frame, end: Int) -> Bool {
        if isTemplate(frame) {
            report(SyntaxExplanation.unquotedTemplate, frame.contentStart..<end)
            return true
        }
        let isInsideTemplate =
            frames.last.map { $0.isMapping && $0.isFlow && $0.items.isEmpty } ?? false
        guard !isInsideTemplate else { return false }
        let count = diagnostics.count + omittedCount
        for index in stride(from: 0, to: frame.items.count - 1, by: 2) {
            reportMissingSpace(key: frame.items[index], value: frame.items[index + 1])
        }
        return diagnostics.count + omittedCount > count
    }

    /// Whether a flow mapping begins with `{{`.
    private func isTemplate(_ frame: Frame) -> Bool {
        guard let key = frame.items.first, key.mapping != nil, key.isFlow, let place = key.place
        else { return false }
        return place.offsets.lowerBound == frame.contentStart + 1
    }

    /// Reports `{a:b}`, which is a key `a:b` without a value.
    private mutating func reportMissingSpace(key: YAMLNode, value: YAMLNode) {
        guard let scalar = key.scalar, scalar.style == .plain, value.isNull, !key.isPlaceholder,
            let place = key.place, let valuePlace = value.place, valuePlace.offsets.isEmpty,
            let colon = place.offsets.first(where: { file.bytes[$0] == .colon }),
            !file.bytes[place.offsets].contains(where: \.isLineBreak),
            colon + 1 < place.offsets.upperBound, file.bytes[colon + 1] != UInt8(ascii: "/")
        else { return }
        guard hasRoom() else { return }
        let fixed =
            file.text(ofUTF8: place.offsets.lowerBound..<colon + 1) + " "
            + file.text(ofUTF8: colon + 1..<place.offsets.upperBound)
        report(
            "a space is missing after the colon; write '\(fixed.clipped)'", place.offsets,
            fix: Diagnostic.Fix(replacement: fixed, range: file.range(ofUTF8: place.offsets)))
    }

    /// Warns about a list item that is indented too deep and so becomes part of the text above it.
    mutating func reportSwallowedItem(_ scalar: YAMLScalar, _ offsets: Range<Int>) {
        guard scalar.style == .plain, file.bytes[offsets].contains(where: \.isLineBreak) else {
            return
        }
        let first = file.lineNumber(ofUTF8Offset: offsets.lowerBound)
        let last = file.lineNumber(ofUTF8Offset: offsets.upperBound)
        for number in stride(from: first + 1, through: last, by: 1) {
            let line = LineParts(file.bytes, line: file.byteRange(ofLine: number))
            guard LineParts.isListItem(file.bytes, line) else { continue }
            report(
                "this line continues the text above it; "
                    + "indent it like the other list items, or put quotes around the text",
                line.contentStart..<line.line.upperBound, severity: .warning)
        }
    }

    /// Reports a core tag on a node of another kind, such as `!!int x`.
    mutating func checkCoreTag(of node: YAMLNode) {
        guard let tag = node.tag, case .core(let core) = tag.kind, let place = node.place else {
            return
        }
        let fits =
            switch (core, node.kind) {
            case (.map, .mapping), (.seq, .sequence), (.str, .scalar): true
            case (.null, .scalar): node.resolved == .null
            case (.bool, .scalar), (.int, .scalar), (.float, .scalar): node.hasType(core)
            default: false
            }
        if !fits {
            report("the tag \(tag) does not fit: this is \(node.kindDescription)", place.offsets)
        }
    }

    /// Reports a tag that is neither YAML's own nor written as `!Name`.
    mutating func reportUnknownTag(_ offsets: Range<Int>) {
        let known = YAMLTag.Core.allCases.map { "!!\($0.rawValue)" }.joined(separator: ", ")
        report(
            "unknown tag '\(file.text(ofUTF8: offsets).clipped)'; remove it, or use one of \(known)",
            offsets)
    }
}

extension YAMLNode {
    fileprivate func hasType(_ core: YAMLTag.Core) -> Bool {
        switch (core, resolved) {
        case (.bool, .bool), (.int, .int), (.float, .float): true
        default: false
        }
    }
}

/// The aliases of a file, found by the location of the node they refer to.
struct AliasUses: Sendable {
    /// A node with an anchor that aliases refer to.
    private struct Target {
        let offsets: Range<Int>
        /// The innermost other target that encloses it.
        let parent: Int?
        var aliases: [Range<Int>]
    }

    /// The targets in file order, an outer one before those in it.
    private var targets: [Target] = []

    init(_ uses: [(alias: Range<Int>, target: Range<Int>)] = []) {
        let sorted = uses.sorted {
            ($0.target.lowerBound, -$0.target.upperBound, $0.alias.lowerBound)
                < ($1.target.lowerBound, -$1.target.upperBound, $1.alias.lowerBound)
        }
        for (alias, target) in sorted {
            if let last = targets.indices.last, targets[last].offsets == target {
                targets[last].aliases.append(alias)
                continue
            }
            var parent = targets.indices.last
            while let index = parent, !targets[index].offsets.contains(all: target) {
                parent = targets[index].parent
            }
            targets.append(Target(offsets: target, parent: parent, aliases: [alias]))
        }
    }

    var isEmpty: Bool { targets.isEmpty }

    /// Returns the aliases that refer to a node around a location, at most `limit`.
    ///
    /// An alias may itself be in a node that other aliases refer to; they follow it.
    func aliases(repeating place: Range<Int>, limit: Int) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var seen: Set<Int> = []
        var places = [place]
        while let place = places.popLast(), found.count < limit {
            var index = lastTarget(from: place.lowerBound)
            while let current = index, found.count < limit {
                let target = targets[current]
                if target.offsets.contains(all: place), seen.insert(current).inserted {
                    found += target.aliases.prefix(limit - found.count)
                    places += target.aliases.prefix(limit).reversed()
                }
                index = target.parent
            }
        }
        return found
    }

    /// Returns the last target that starts at or before an offset.
    private func lastTarget(from offset: Int) -> Int? {
        var low = 0
        var high = targets.count
        while low < high {
            let middle = (low + high) / 2
            if targets[middle].offsets.lowerBound <= offset {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low > 0 ? low - 1 : nil
    }
}

extension Range<Int> {
    fileprivate func contains(all other: Range<Int>) -> Bool {
        lowerBound <= other.lowerBound && other.upperBound <= upperBound
    }
}

extension YAMLParser.Output {
    private static let maximumAliasCount = 3

    /// Adds notes to diagnostics about anchored nodes: where aliases refer to them.
    ///
    /// Diagnostics that were found once for each alias are reduced to one.
    public func addingAliases(to diagnostics: [Diagnostic]) -> [Diagnostic] {
        guard !aliasUses.isEmpty else { return diagnostics }
        var seen: Set<Diagnostic> = []
        return diagnostics.compactMap { diagnostic in
            let notes = aliasNotes(for: diagnostic)
            guard !notes.isEmpty else { return diagnostic }
            return seen.insert(diagnostic).inserted ? diagnostic.adding(notes) : nil
        }
    }

    private func aliasNotes(for diagnostic: Diagnostic) -> [Diagnostic.Note] {
        guard let range = diagnostic.range, diagnostic.file.map({ $0 == file }) ?? true else {
            return []
        }
        let limit = Self.maximumAliasCount
        let aliases = aliasUses.aliases(
            repeating: range.start.offset..<range.end.offset, limit: limit + 1)
        let notes = aliases.prefix(limit).map { alias in
            Diagnostic.Note(
                "used here as '\(file.text(ofUTF8: alias).clipped)'",
                range: file.range(ofUTF8: alias))
        }
        return aliases.count > limit ? notes + [Diagnostic.Note("used by more aliases")] : notes
    }
}
