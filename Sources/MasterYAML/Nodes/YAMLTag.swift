/// The tag of a node.
public struct YAMLTag: Sendable, Hashable {
    /// What a tag means.
    public enum Kind: Sendable, Hashable {
        /// `!Property`: an application's own tag, without the exclamation mark.
        case local(String)
        /// `!!str`: a type of YAML's core schema.
        case core(Core)
        /// `!`: always text.
        case nonSpecific
    }

    /// The types of YAML's core schema.
    public enum Core: String, Sendable, Hashable, CaseIterable {
        /// Text.
        case str
        /// An integer.
        case int
        /// A number.
        case float
        /// A boolean.
        case bool
        /// Null.
        case null
        /// A mapping.
        case map
        /// A list.
        case seq
    }

    /// What the tag means.
    public let kind: Kind
    /// The location of the tag.
    private let place: (file: SourceFile, offsets: Range<Int>)?

    /// Creates a tag.
    public init(_ kind: Kind) {
        self.kind = kind
        self.place = nil
    }

    /// Creates a local tag from its name without the exclamation mark.
    public init(local name: String) { self.init(.local(name)) }

    /// The range of the tag; nil when the node was built in code.
    public var range: SourceRange? { place.map { $0.file.range(ofUTF8: $0.offsets) } }

    /// The name of a local tag without the exclamation mark; nil for other tags.
    public var name: String? {
        guard case .local(let name) = kind else { return nil }
        return name
    }

    /// Tags are equal if they have the same meaning, regardless of location.
    public static func == (left: YAMLTag, right: YAMLTag) -> Bool { left.kind == right.kind }

    /// Hashes the meaning.
    public func hash(into hasher: inout Hasher) { hasher.combine(kind) }
}

extension YAMLTag {
    private static let coreURI = "tag:yaml.org,2002:"

    /// Creates a tag from libyaml's resolved form; nil for a URI outside YAML's core schema.
    init?(resolved text: String, file: SourceFile, offsets: Range<Int>?) {
        place = offsets.map { (file, $0) }
        if text == "!" {
            kind = .nonSpecific
        } else if text.hasPrefix("!") {
            kind = .local(String(text.dropFirst()))
        } else if text.hasPrefix(Self.coreURI),
            let core = Core(rawValue: String(text.dropFirst(Self.coreURI.count)))
        {
            kind = .core(core)
        } else {
            return nil
        }
    }
}

extension YAMLTag: CustomStringConvertible {
    /// The tag as it is written in a file.
    public var description: String {
        switch kind {
        case .local(let name): "!\(name)"
        case .core(let core): "!!\(core.rawValue)"
        case .nonSpecific: "!"
        }
    }
}
