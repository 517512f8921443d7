internal import MasterKit

/// Resolves `needs`: which builders must succeed before others start.
struct BuilderOrder {
    let decoder: SettingDecoder
    let declared: BuilderList

    /// The builders with their needs; an unknown name and a cycle are errors.
    func builders(
        of places: [(settings: BuilderSettings, builder: BuilderConfiguration)]
    ) -> [BuilderConfiguration] {
        let all = places.map(\.settings) + declared.faulty.map(\.settings)
        guard all.contains(where: { !$0.needs.items.isEmpty }) else { return places.map(\.builder) }
        let names = places.map(\.builder.name)
        var told: Set<String> = []
        let builders = places.map { settings, builder in
            var builder = builder
            builder.needs = needs(of: builder, settings, among: names, &told)
            return builder
        }
        checkCycles(
            zip(builders, places).map { builder, place in
                let others = place.settings.needs.items.flatMap(faultyBuilders)
                return (builder.name, builder.needs + others, place.settings.needs.range)
            } + faultyNodes(beside: names))
        return builders
    }

    /// A builder in a cycle: its name, what it needs, and where that is.
    private typealias Node = (name: String, needs: [String], range: SourceRange?)

    /// The builders with other mistakes, which may be part of a cycle, too.
    private func faultyNodes(beside names: [String]) -> [Node] {
        declared.faulty.compactMap { builder in
            guard let name = builder.constantName?.text else { return nil }
            let needs = builder.settings.needs.items.flatMap { item -> [String] in
                guard let pattern = item.name.constant.map(NamePattern.init) else { return [] }
                let found = names.filter { pattern.matches($0) && ($0 != name || pattern.isPlain) }
                return found + faultyBuilders(item).filter { $0 != name || pattern.isPlain }
            }
            return (name, needs, builder.settings.needs.range)
        }
    }

    private func faultyBuilders(_ item: BuilderReferences.Item) -> [String] {
        guard let pattern = item.name.constant.map(NamePattern.init) else { return [] }
        return declared.otherNames.map(\.name).filter(pattern.matches)
    }

    private func needs(
        of builder: BuilderConfiguration, _ settings: BuilderSettings, among names: [String],
        _ told: inout Set<String>
    ) -> [String] {
        var needs: [String] = []
        for item in settings.needs.items {
            guard let wanted = name(item, of: builder, settings) else { continue }
            let pattern = NamePattern(wanted)
            let found =
                names.contains(wanted)
                ? [wanted] : names.filter { pattern.matches($0) && $0 != builder.name }
            if found.isEmpty, isEachKnown, !isFaulty(pattern) {
                let what = pattern.isPlain ? "there is no builder" : "no builder matches"
                let remedy = Suggestion.remedy(for: wanted, among: names)
                let message = "\(what) '\(wanted)'; \(remedy)"
                // All combinations of a matrix share one list.
                if told.insert("\(item.range?.start.offset ?? 0) \(message)").inserted {
                    decoder.error(message, at: item.range)
                }
            }
            needs += found.filter { !needs.contains($0) }
        }
        return needs
    }

    private func name(
        _ item: BuilderReferences.Item, of builder: BuilderConfiguration,
        _ settings: BuilderSettings
    ) -> String? {
        guard item.name.constant != nil || settings.matrix != nil else {
            return decoder.error(
                "a name in 'needs' can only be computed from the axes of a 'matrix'; write a text",
                at: item.range)
        }
        let context = RenderContext(
            properties: Properties(builder.axes, source: "Builder"),
            template: ["properties": .object(builder.axes)])
        do throws(RenderError) {
            return try item.name.render(in: context)
        } catch {
            return decoder.error(error.message, at: error.range ?? item.range)
        }
    }

    /// Whether the names of all invalid builders are known.
    private var isEachKnown: Bool { declared.faulty.count == declared.otherNames.count }

    private func isFaulty(_ pattern: NamePattern) -> Bool {
        declared.otherNames.contains { pattern.matches($0.name) }
    }

    // MARK: Cycles

    private func checkCycles(_ builders: [Node]) {
        let nodes = Dictionary(
            builders.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let needs = nodes.mapValues(\.needs)
        var checked: Set<String> = []
        for builder in builders {
            guard let cycle = cycle(from: builder.name, needs, &checked) else { continue }
            let range = nodes[cycle[0]]?.range
            guard cycle.count > 1 else {
                decoder.error("the builder '\(cycle[0])' needs itself; remove it", at: range)
                continue
            }
            let path = (cycle + [cycle[0]]).map { "'\($0)'" }.joined(separator: " needs ")
            decoder.error(
                "the builders need each other, so that none could begin: \(path); remove one of "
                    + "these 'needs'", at: range)
        }
    }

    /// The builders in a cycle reachable from a builder; each builder is visited only once.
    private func cycle(
        from start: String, _ needs: [String: [String]], _ checked: inout Set<String>
    ) -> [String]? {
        guard checked.insert(start).inserted else { return nil }
        var path = [(name: start, rest: needs[start, default: []][...])]
        while let next = path.last?.rest.first {
            path[path.count - 1].rest.removeFirst()
            if let index = path.firstIndex(where: { $0.name == next }) {
                return path[index...].map(\.name)
            }
            if checked.insert(next).inserted {
                path.append((next, needs[next, default: []][...]))
            }
            while path.last?.rest.isEmpty == true { path.removeLast() }
        }
        return nil
    }
}

/// `needs` of a builder: names and patterns of other builders.
struct BuilderReferences: SettingValue, RenderableValue {
    typealias Item = (name: Renderable<String>, range: SourceRange?)

    var items: [Item] = []
    var range: SourceRange?

    static var shape: String { "a list of the names of builders" }

    static var form: ValueForm { .computed(.either([.text, .list(of: .text)])) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BuilderReferences? {
        let nodes: [YAMLNode]
        switch node.kind {
        case .sequence(let listed) where node.tag?.name == nil: nodes = listed
        case .scalar where !node.isNull: nodes = [node]
        default: return decoder.mismatch(node, expected: shape)
        }
        let items = nodes.compactMap { item -> Item? in
            guard case .scalar = item.kind, !item.isNull else {
                return decoder.mismatch(item, expected: shape)
            }
            return decoder.decode(Renderable<String>.self, from: item).map { ($0, item.range) }
        }
        return items.count == nodes.count
            ? BuilderReferences(items: items, range: node.range) : nil
    }
}

/// A name pattern as in a shell: `*` matches any string, `?` any character, `[a-c]` one of several.
package struct NamePattern: Sendable, Hashable {
    private enum Part: Hashable {
        case text
        case character
        case one(of: [ClosedRange<Character>], isNegated: Bool)
        case exactly(Character)

        func fits(_ character: Character) -> Bool {
            switch self {
            case .text: false
            case .character: true
            case .one(let ranges, let isNegated):
                ranges.contains { $0.contains(character) } != isNegated
            case .exactly(let wanted): wanted == character
            }
        }
    }

    /// The pattern as written.
    package let text: String
    private let parts: [Part]

    /// Parses a pattern; an unterminated bracket is a literal character.
    package init(_ text: String) {
        self.text = text
        var parts: [Part] = []
        var rest = text[...]
        while let next = rest.popFirst() {
            switch next {
            case "*": parts.append(.text)
            case "?": parts.append(.character)
            case "[": parts.append(Self.characters(&rest) ?? .exactly("["))
            default: parts.append(.exactly(next))
            }
        }
        self.parts = parts
    }

    /// Whether it can match only one name.
    package var isPlain: Bool {
        parts.allSatisfy { if case .exactly = $0 { true } else { false } }
    }

    /// Whether a name equals the text itself or matches the pattern.
    package func matches(_ name: String) -> Bool {
        if name == text { return true }
        let name = Array(name)
        var (part, character) = (0, 0)
        var star: (part: Int, character: Int)?
        while character < name.count {
            if part < parts.count, parts[part] == .text {
                star = (part, character)
                part += 1
            } else if part < parts.count, parts[part].fits(name[character]) {
                part += 1
                character += 1
            } else if let last = star {
                star = (last.part, last.character + 1)
                (part, character) = (last.part + 1, last.character + 1)
            } else {
                return false
            }
        }
        return parts[part...].allSatisfy { $0 == .text }
    }

    /// Parses the rest of a bracket expression; consumes nothing if it has no closing bracket.
    private static func characters(_ rest: inout Substring) -> Part? {
        var inner = rest
        let isNegated = inner.first == "!" || inner.first == "^"
        if isNegated { inner.removeFirst() }
        var ranges: [ClosedRange<Character>] = []
        while let first = inner.popFirst() {
            if first == "]", !ranges.isEmpty {
                rest = inner
                return .one(of: ranges, isNegated: isNegated)
            }
            var last = first
            if inner.first == "-", let end = inner.dropFirst().first, end != "]" {
                last = end
                inner = inner.dropFirst(2)
            }
            ranges.append(min(first, last)...max(first, last))
        }
        return nil
    }
}
