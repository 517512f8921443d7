/// A reference in a format's expression.
package enum InterpolationReference: Sendable, Hashable {
    /// A property of the build: `%(prop:branch)s`.
    case property(String)
    /// An attribute of a source stamp: `%(src:codebase:revision)s`; the codebase may be empty.
    case source(codebase: String, attribute: String)
    /// A keyword argument: `%(kw:name)s`.
    case keyword(String)
    /// A secret: `%(secret:token)s`.
    case secret(String)
    /// Information about the worker: `%(worker:host)s`.
    case worker(String)
    /// A positional argument, counted from 0: `%s`.
    case positional(Int)
}

extension InterpolationReference: CustomStringConvertible {
    /// A description for messages: `property 'branch'`.
    package var description: String {
        switch self {
        case .property(let name): "property '\(name)'"
        case .source("", let attribute): "source attribute '\(attribute)'"
        case .source(let codebase, let attribute):
            "source attribute '\(attribute)' of codebase '\(codebase)'"
        case .keyword(let name): "keyword '\(name)'"
        case .secret(let name): "secret '\(name)'"
        case .worker(let key): "worker information '\(key)'"
        case .positional(let index): "argument \(index + 1)"
        }
    }
}

/// An occurrence of a reference in a format.
package struct InterpolationUse: Sendable, Hashable {
    /// The reference.
    package let reference: InterpolationReference
    /// The location of the name in the format, in UTF-8 bytes.
    package let range: Range<Int>
    /// Whether a modifier provides an alternative for a missing value.
    package let hasModifier: Bool
}

/// The first word of an expression, which selects the source of its value.
enum InterpolationSelector: String, CaseIterable {
    case prop, src, kw, secret, worker

    /// What the selector selects, for messages.
    var noun: String {
        switch self {
        case .prop: "property"
        case .src: "codebase"
        case .kw: "keyword"
        case .secret: "secret"
        case .worker: "worker information"
        }
    }

    /// Returns the reference to a name; sources have two names and are handled separately.
    func reference(to name: String) -> InterpolationReference {
        switch self {
        case .prop: .property(name)
        case .src: .source(codebase: "", attribute: name)
        case .kw: .keyword(name)
        case .secret: .secret(name)
        case .worker: .worker(name)
        }
    }

    /// Returns the selector most likely meant by an unknown word.
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

    /// The number of bytes to insert, delete or replace to turn one word into the other.
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

/// The arguments after the format of an `!Interpolate`: values by position, or by name.
struct InterpolationArguments: Sendable {
    private(set) var positional: [RenderTree] = []
    private(set) var keywords = ExactDictionary<RenderTree>()

    /// Reads the items after the format; those that are mappings contain named arguments.
    init?(_ items: [YAMLNode], with decoder: SettingDecoder) {
        var isRight = true
        for item in items {
            if case .mapping(let mapping) = item.kind, Self.areNamed(item) {
                for entry in mapping.entries where !addKeyword(entry, with: decoder) {
                    isRight = false
                }
            } else if let tree = RenderTree(item, with: decoder) {
                positional.append(tree)
            } else {
                isRight = false
            }
        }
        guard isRight else { return nil }
    }

    /// Whether an item after the format is a mapping of named arguments.
    static func areNamed(_ item: YAMLNode) -> Bool {
        guard case .mapping = item.kind else { return false }
        return item.expressionName == nil
    }

    private mutating func addKeyword(
        _ entry: YAMLMapping.Entry, with decoder: SettingDecoder
    ) -> Bool {
        guard let name = entry.key.scalarText else {
            decoder.error(
                "the name of an argument of !Interpolate must be a text, not \(entry.key.wording)",
                at: entry.key.range)
            return false
        }
        guard let tree = RenderTree(entry.value, with: decoder) else { return false }
        if keywords.updateValue(tree, forKey: name) != nil {
            decoder.error(
                "!Interpolate has the argument '\(name.shortened)' twice; keep one",
                at: entry.key.range)
            return false
        }
        return true
    }
}
