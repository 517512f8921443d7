/// The word an expression begins with: where its value comes from.
enum InterpolationSelector: String, CaseIterable {
    case prop, src, kw, secret, worker

    /// What the selector names, for a message.
    var noun: String {
        switch self {
        case .prop: "property"
        case .src: "codebase"
        case .kw: "keyword"
        case .secret: "secret"
        case .worker: "worker information"
        }
    }

    /// The reference to a name; sources have two names and are made elsewhere.
    func reference(to name: String) -> InterpolationReference {
        switch self {
        case .prop: .property(name)
        case .src: .source(codebase: "", attribute: name)
        case .kw: .keyword(name)
        case .secret: .secret(name)
        case .worker: .worker(name)
        }
    }

    /// The selector that was probably meant by an unknown word.
    static func suggestion(for word: String) -> InterpolationSelector? {
        let word = word.lowercased()
        guard word.utf8.count <= 16 else { return nil }
        switch word {
        case "property", "properties", "p": return .prop
        case "source", "sourcestamp", "ss", "s": return .src
        case "keyword", "kwarg", "arg": return .kw
        case "slave", "workerinfo", "info": return .worker
        default: break
        }
        let near = allCases.map { ($0, editDistance(Array(word.utf8), Array($0.rawValue.utf8))) }
        guard let best = near.min(by: { $0.1 < $1.1 }), best.1 * 2 <= best.0.rawValue.count else {
            return nil
        }
        return best.0
    }

    /// How many bytes must be inserted, removed or replaced to turn one word into the other.
    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let replaced = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
