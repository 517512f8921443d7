internal import MasterKit

/// The keys of a file, which tell what is missing from what is there and wrong.
struct TopLevel {
    private let mapping: YAMLMapping

    init(_ mapping: YAMLMapping) {
        self.mapping = mapping
    }

    /// The value of a key.
    subscript(name: String) -> YAMLNode? { mapping[name] }

    /// Whether a setting is there, perhaps misspelt, so that nobody need be told to add it.
    func declares(_ name: String) -> Bool {
        if mapping[name] != nil { return true }
        let known = MasterSettings.declarations.map(\.name)
        return mapping.entries.contains { entry in
            guard !entry.key.isPlaceholder else { return true }
            guard let key = entry.key.scalarText, !key.hasPrefix("x-"), !known.contains(key)
            else { return false }
            return Suggestion.nearest(to: key, among: known) == name
        }
    }
}
