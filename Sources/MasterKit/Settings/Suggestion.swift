/// Finds what somebody may have meant by a misspelt word.
public enum Suggestion {
    /// The candidate nearest to a word, `nil` when none is near.
    public static func nearest(to word: String, among candidates: [String]) -> String? {
        let lowered = word.lowercased()
        let bound = max(1, min(3, word.utf8.count / 3))
        let length = lowered.utf8.count
        let near = candidates.filter { abs($0.utf8.count - length) <= bound }
        let scored = near.map { (distance(lowered, $0.lowercased()), $0) }
        return scored.filter { $0.0 <= bound }.min { $0.0 < $1.0 }?.1
    }

    /// A remedy in words: the nearest candidate, or else the whole list.
    public static func remedy(
        for word: String, among candidates: [String], all: [String]? = nil
    ) -> String {
        if let nearest = nearest(to: word, among: candidates) {
            return "did you mean '\(nearest)'?"
        }
        let list = all ?? candidates
        return switch list.count {
        case 0: "there are none"
        case 1: "there is only '\(list[0])'"
        default: "there are \(list.joined(separator: ", "))"
        }
    }

    /// The number of insertions, deletions, replacements and swaps of neighbours between two words.
    static func distance(_ one: String, _ other: String) -> Int {
        let a = Array(one.utf8.prefix(64))
        let b = Array(other.utf8.prefix(64))
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                let replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                var best = min(replaced, last[j] + 1, row[j - 1] + 1)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    best = min(best, beforeLast[j - 2] + 1)
                }
                row.append(best)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
