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
