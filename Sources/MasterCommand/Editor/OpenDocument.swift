internal import MasterKit

/// A document that an editor has open, with its text as it is there.
struct OpenDocument {
    let uri: String
    /// The path of the file, for relative paths in it and for messages.
    let path: String
    private(set) var version: Int?
    private(set) var parsed: YAMLParser.Output
    /// The last content that could be parsed.
    private(set) var root: YAMLNode?

    init(uri: String, version: Int?, text: String) {
        self.uri = uri
        path = Self.path(of: uri)
        self.version = version
        parsed = YAMLParser.parse(text, name: path)
        root = parsed.root
    }

    mutating func update(version: Int?, text: String) {
        self.version = version
        parsed = YAMLParser.parse(text, name: path)
        root = parsed.root ?? root
    }

    var file: SourceFile { parsed.file }

    /// The name of the file without its folder.
    var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// The path of a `file:` URI; any other URI as it is.
    private static func path(of uri: String) -> String {
        guard uri.hasPrefix("file://") else { return uri }
        return uri.dropFirst("file://".count).percentDecoded
    }
}

// MARK: Positions

extension OpenDocument {
    /// A range in the protocol's form: lines from 0, columns in UTF-16.
    func json(_ range: SourceRange?) -> JSONValue {
        ["start": json(range?.start), "end": json(range?.end)]
    }

    private func json(_ position: SourcePosition?) -> JSONValue {
        guard let position else { return ["line": 0, "character": 0] }
        let line = file.line(position.line) ?? ""
        let scalars = line.unicodeScalars.prefix(position.column - 1)
        let units = scalars.reduce(0) { $0 + UTF16.width($1) }
        return ["line": .int(position.line - 1), "character": .int(units)]
    }

    /// A position of the protocol, as the line from 1 and the text before the position in it;
    /// `nil` if it is not one of this document.
    func place(_ position: JSONValue?) -> (line: Int, prefix: String)? {
        guard let line = position?["line"]?.intValue, line >= 0, line < file.lineCount,
            let character = position?["character"]?.intValue, character >= 0,
            let text = file.line(line + 1)
        else { return nil }
        let utf16 = text.utf16
        let end = utf16.index(utf16.startIndex, offsetBy: character, limitedBy: utf16.endIndex)
        return (line + 1, String(text[..<(end ?? utf16.endIndex)]))
    }

    /// Whether a range has a place in it, or begins or ends there.
    private func contains(_ range: SourceRange?, _ place: (line: Int, prefix: String)) -> Bool {
        guard let range else { return false }
        let column = place.prefix.unicodeScalars.count + 1
        let isAfterStart =
            (range.start.line, range.start.column) <= (place.line, column)
        return isAfterStart && (place.line, column) <= (range.end.line, range.end.column)
    }
}

// MARK: Nodes

extension OpenDocument {
    /// A key, or a value that is not a collection, with the path of the mapping or list around it.
    struct Found {
        let node: YAMLNode
        let isKey: Bool
        /// The path of the mapping for a key, and of the value itself for a value.
        let path: [SchemaWalk.Step]
    }

    /// What is at a place of the document.
    func node(at place: (line: Int, prefix: String)) -> Found? {
        guard var node = parsed.root else { return nil }
        var path: [SchemaWalk.Step] = []
        while true {
            switch node.kind {
            case .scalar: return Found(node: node, isKey: false, path: path)
            case .sequence(let items):
                guard let item = items.first(where: { contains($0.range, place) }) else {
                    return nil
                }
                path.append(.item)
                node = item
            case .mapping(let mapping):
                let entries = mapping.entries
                if let entry = entries.first(where: { contains($0.key.range, place) }) {
                    return Found(node: entry.key, isKey: true, path: path)
                }
                guard let entry = entries.first(where: { contains($0.value.range, place) }) else {
                    return nil
                }
                path.append(.key(entry.key.scalarText ?? ""))
                node = entry.value
            }
        }
    }

    /// What the names in a setting are names of.
    enum Subject: String, CaseIterable {
        case builder
        case factory
        case lock
    }

    /// What the value at a path is the name of, if it is the name of something in the file.
    static func subject(of path: [SchemaWalk.Step]) -> Subject? {
        let names = path.compactMap { if case .key(let name) = $0 { name } else { nil } }
        guard names.count > 1, let setting = names.last else { return nil }
        return switch setting {
        case "builderNames", "unimportantBuilderNames", "needs", "builders": .builder
        case "factory", "extends": .factory
        case "steps.Trigger": .builder
        case "locks": .lock
        default: nil
        }
    }

    /// The nodes that declare names.
    func declarations(of subject: Subject) -> [(name: String, node: YAMLNode)] {
        let nodes: [YAMLNode] =
            switch subject {
            case .builder:
                Self.items(root?.mapping?["builders"]).compactMap { $0.mapping?["name"] }
            case .factory: root?.mapping?["factories"]?.mapping?.entries.map(\.key) ?? []
            case .lock: root?.mapping?["locks"]?.mapping?.entries.map(\.key) ?? []
            }
        return nodes.compactMap { node in node.scalarText.map { ($0, node) } }
    }

    /// The items of a list and of the lists in it.
    private static func items(_ node: YAMLNode?) -> [YAMLNode] {
        node.map { node in node.sequence?.flatMap(items) ?? [node] } ?? []
    }

    /// The place of the anchor that the alias at a place refers to.
    func anchor(at place: (line: Int, prefix: String)) -> SourceRange? {
        guard let line = file.line(place.line) else { return nil }
        let isName = { (character: Character) in
            !character.isWhitespace && !",[]{}".contains(character)
        }
        let before = place.prefix.reversed().prefix { isName($0) }
        let after = line.dropFirst(place.prefix.count).prefix { isName($0) }
        let word = String(before.reversed()) + after
        guard word.hasPrefix("*") else { return nil }
        let anchor = "&" + word.dropFirst()
        // The last one before the alias; an anchor may be redefined.
        for number in stride(from: place.line, through: 1, by: -1) {
            guard let text = file.line(number) else { continue }
            for match in text.ranges(of: anchor).reversed() {
                let rest = text[match.upperBound...].first
                guard rest.map({ !isName($0) }) ?? true else { continue }
                let column = text[..<match.lowerBound].unicodeScalars.count + 1
                let end = column + anchor.unicodeScalars.count
                return SourceRange(
                    start: SourcePosition(line: number, column: column, offset: 0),
                    end: SourcePosition(line: number, column: end, offset: 1))
            }
        }
        return nil
    }
}
