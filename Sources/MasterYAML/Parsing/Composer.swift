/// Builds nodes out of events and finds what is wrong with them.
struct Composer {
    /// How the reading ended.
    enum Outcome {
        /// The whole file was read; nil when it holds no document.
        case finished(YAMLNode?)
        /// A limit was passed, and a diagnostic says which.
        case refused
        /// libyaml could not go on.
        case failed(SyntaxProblem)
    }

    /// What a name after `&` stands for.
    enum Anchor {
        /// A collection whose end has not come yet, known by its offset.
        case open(Int)
        case node(YAMLNode)
    }

    let file: SourceFile
    /// Stretches that were overwritten because of mistakes reported already.
    let repairs: [Range<Int>]
    /// Whether whole sections are missing, so that an alias may miss its anchor through no fault.
    let lacksSections: Bool
    var frames: [Frame] = []
    var root: YAMLNode?
    var anchors: [String: Anchor] = [:]
    var unknownAliases: [(name: String, offsets: Range<Int>)] = []
    /// Where aliases stand, and the nodes that they repeat.
    var aliases: [(alias: Range<Int>, target: Range<Int>)] = []
    var nodeCount = 0
    var expandedCount = 0
    var documentCount = 0
    var diagnostics: [Diagnostic] = []
    var omittedCount = 0
    /// The offsets of the last scalar, which help to explain what libyaml stumbles over next.
    var lastScalar: (scalar: YAMLScalar, offsets: Range<Int>)?

    /// The offsets of the last event.
    var lastEvent = 0..<0

    init(file: SourceFile, repairs: [Range<Int>] = [], lacksSections: Bool = false) {
        self.file = file
        self.repairs = repairs
        self.lacksSections = lacksSections
    }

    /// Reads bytes that have the same offsets as the file.
    mutating func compose(_ reader: borrowing EventReader) -> Outcome {
        do throws(SyntaxProblem) {
            while true {
                let event = try reader.next()
                if case .streamEnd = event.kind { break }
                guard handle(event) else { return .refused }
                lastEvent = event.offsets
            }
        } catch {
            return .failed(error)
        }
        reportUnknownAliases()
        if omittedCount > 0 {
            let message = "\(omittedCount) more mistakes are not shown"
            diagnostics.append(Diagnostic(.note, message, file: file))
        }
        return .finished(root)
    }

    /// Takes an event; false when a limit is passed.
    private mutating func handle(_ event: YAMLEvent) -> Bool {
        switch event.kind {
        case .streamStart, .streamEnd, .documentEnd: return true
        case .documentStart: return startDocument(event.offsets)
        case .alias(let name): return addAlias(name, event.offsets)
        case .scalar(let scalar, let properties):
            lastScalar = (scalar, event.offsets)
            return countNode(event.offsets) && addScalar(scalar, properties, event.offsets)
        case .sequenceStart(let properties, let isFlow):
            return push(isMapping: false, isFlow, properties, event.offsets)
        case .mappingStart(let properties, let isFlow):
            return push(isMapping: true, isFlow, properties, event.offsets)
        case .sequenceEnd, .mappingEnd:
            finishCollection(event.offsets)
            return true
        }
    }

    /// Whether one more diagnostic can be noted; counts it as omitted when not.
    mutating func hasRoom() -> Bool {
        guard diagnostics.count >= YAMLParser.maximumDiagnosticCount else { return true }
        omittedCount += 1
        return false
    }

    /// Notes a diagnostic about the file, or only counts it when there are many.
    mutating func report(
        _ message: String, _ offsets: Range<Int>, severity: Diagnostic.Severity = .error,
        notes: [Diagnostic.Note] = [], fix: Diagnostic.Fix? = nil
    ) {
        guard hasRoom() else { return }
        diagnostics.append(
            Diagnostic(
                severity, message, file: file, range: file.range(ofUTF8: offsets), notes: notes,
                fix: fix))
    }

    /// Notes which limit is passed, however many diagnostics there are, and returns false.
    mutating func refuse(_ message: String, _ offsets: Range<Int>) -> Bool {
        let range = file.range(ofUTF8: offsets)
        diagnostics.append(Diagnostic(.error, message, file: file, range: range))
        return false
    }

    /// Hands a finished node to the collection it stands in.
    mutating func add(_ node: YAMLNode, endingAt end: Int) {
        guard let last = frames.indices.last else {
            root = node
            return
        }
        frames[last].items.append(node)
        frames[last].end = max(frames[last].end, end)
    }

    private mutating func startDocument(_ offsets: Range<Int>) -> Bool {
        documentCount += 1
        guard documentCount > 1 else { return true }
        let line = file.byteRange(ofLineAt: offsets.lowerBound)
        return refuse(
            "a second document begins here; a file has one, so remove '---' or split the file",
            offsets
                .lowerBound..<max(min(offsets.lowerBound + 3, line.upperBound), offsets.lowerBound))
    }
}

extension Composer {
    /// A list or a mapping whose end has not come yet.
    struct Frame {
        let isMapping: Bool
        let isFlow: Bool
        let tag: YAMLTag?
        let anchor: String?
        let start: Int
        let contentStart: Int
        /// The end of the last item.
        var end: Int
        /// The items; in a mapping keys and values by turns.
        var items: [YAMLNode] = []
    }

    /// Begins a list or a mapping; false when it is too deep.
    mutating func push(
        isMapping: Bool, _ isFlow: Bool, _ properties: YAMLEvent.Properties, _ offsets: Range<Int>
    ) -> Bool {
        guard countNode(offsets) else { return false }
        guard frames.count < YAMLParser.maximumDepth else {
            let line = file.byteRange(ofLineAt: offsets.lowerBound)
            let end = min(offsets.lowerBound + 1, line.upperBound)
            return refuse(
                "lists and mappings are nested deeper than \(YAMLParser.maximumDepth) levels",
                offsets.lowerBound..<max(end, offsets.lowerBound))
        }
        let head = readProperties(properties, offsets)
        let frame = Frame(
            isMapping: isMapping, isFlow: isFlow, tag: head.tag, anchor: properties.anchor,
            start: offsets.lowerBound, contentStart: head.contentStart, end: offsets.upperBound)
        if let anchor = properties.anchor { anchors[anchor] = .open(frame.start) }
        frames.append(frame)
        return true
    }

    /// Ends the innermost list or mapping.
    mutating func finishCollection(_ offsets: Range<Int>) {
        guard let frame = frames.popLast() else { return }
        let end = frame.isFlow ? offsets.upperBound : frame.end
        let isMistake = frame.isMapping && frame.isFlow && reportFlowMistakes(in: frame, end: end)
        let kind: YAMLNode.Kind =
            frame.isMapping
            ? .mapping(YAMLMapping(isMistake ? [] : entries(of: frame.items)))
            : .sequence(frame.items)
        let node = YAMLNode(
            kind: kind, tag: frame.tag, anchor: frame.anchor, file: file,
            place: YAMLNode.Place(
                offsets: frame.start..<max(end, frame.start), contentStart: frame.contentStart,
                isFlow: frame.isFlow), isPlaceholder: isMistake || isRepaired(frame.start))
        checkCoreTag(of: node)
        if let anchor = frame.anchor, case .open(frame.start) = anchors[anchor] {
            anchors[anchor] = .node(node)
        }
        add(node, endingAt: end)
    }

    /// Adds a single value.
    mutating func addScalar(
        _ scalar: YAMLScalar, _ properties: YAMLEvent.Properties, _ offsets: Range<Int>
    ) -> Bool {
        let head = readProperties(properties, offsets)
        let end =
            scalar.style == .literal || scalar.style == .folded
            ? endOfBlock(head.contentStart..<offsets.upperBound) : offsets.upperBound
        let node = YAMLNode(
            kind: .scalar(scalar), tag: head.tag, anchor: properties.anchor, file: file,
            place: YAMLNode.Place(
                offsets: offsets.lowerBound..<end, contentStart: head.contentStart, isFlow: false),
            isPlaceholder: head.hasUnknownTag || isRepaired(head.contentStart))
        checkCoreTag(of: node)
        reportSwallowedItem(scalar, offsets)
        if let anchor = properties.anchor { anchors[anchor] = .node(node) }
        add(node, endingAt: end)
        return true
    }

    /// Counts a node; false when there are too many.
    mutating func countNode(_ offsets: Range<Int>) -> Bool {
        nodeCount += 1
        expandedCount += 1
        guard nodeCount <= YAMLParser.maximumNodeCount else {
            return refuse(
                "the file has more than \(YAMLParser.maximumNodeCount) values; split it",
                offsets.lowerBound..<offsets.lowerBound)
        }
        return true
    }

    /// Where the innermost brackets or braces open, if the innermost collection is within such.
    var openBracket: Int? {
        guard frames.last?.isFlow ?? false else { return nil }
        return frames.last {
            let first = file.bytes[$0.contentStart...].first
            return $0.isFlow && (first == .openBracket || first == .openBrace)
        }?.contentStart
    }

    /// Whether an offset lies in a stretch that was overwritten.
    func isRepaired(_ offset: Int) -> Bool { repairs.contains { $0.contains(offset) } }

    /// What precedes the content of a node.
    private struct NodeHead {
        var tag: YAMLTag?
        var contentStart: Int
        var hasUnknownTag = false
    }

    /// Reads tag and anchor of a node; an unknown tag is reported and left out.
    private mutating func readProperties(
        _ properties: YAMLEvent.Properties, _ offsets: Range<Int>
    ) -> NodeHead {
        guard properties.tag != nil || properties.anchor != nil else {
            return NodeHead(contentStart: offsets.lowerBound)
        }
        let found = NodeProperties(file.bytes, offsets)
        guard let text = properties.tag else { return NodeHead(contentStart: found.contentStart) }
        guard let tag = YAMLTag(resolved: text, file: file, offsets: found.tag) else {
            reportUnknownTag(found.tag ?? offsets)
            return NodeHead(contentStart: found.contentStart, hasUnknownTag: true)
        }
        return NodeHead(tag: tag, contentStart: found.contentStart)
    }

    /// libyaml ends a block after the line ends that follow; people see its end at the last character.
    private func endOfBlock(_ content: Range<Int>) -> Int {
        var end = content.upperBound
        while end > content.lowerBound + 1, file.bytes[end - 1].isBlankOrBreak { end -= 1 }
        return end
    }
}

extension Composer {
    /// The nodes that aliases may always make.
    static let expansionAllowance = 100_000

    /// Puts the node of an anchor in place of an alias; false when that would be too much.
    mutating func addAlias(_ name: String, _ offsets: Range<Int>) -> Bool {
        switch anchors[name] {
        case .node(let node):
            expandedCount += node.expandedCount
            guard expandedCount <= Self.expansionAllowance + 10 * nodeCount else {
                return refuse(
                    "the aliases of this file stand for more than \(Self.expansionAllowance) values; "
                        + "use fewer aliases inside of each other", offsets)
            }
            if let place = node.place { aliases.append((offsets, place.offsets)) }
            add(node, endingAt: offsets.upperBound)
            return true
        case .open:
            report(
                "'*\(name.clipped)' stands inside of the very value that it names; remove it",
                offsets)
        case nil: unknownAliases.append((name, offsets))
        }
        return addPlaceholder(offsets)
    }

    /// Says which aliases name nothing; done at the end, when it is known whether an anchor comes later.
    mutating func reportUnknownAliases() {
        guard !lacksSections else { return }
        for (fullName, offsets) in unknownAliases where hasRoom() {
            let name = fullName.clipped
            let text = file.text(ofUTF8: offsets)
            guard case .node(let node) = anchors[fullName] else {
                report(
                    "there is no anchor '&\(name)'; "
                        + "if '\(text.clipped)' is meant as text, put quotes around it", offsets,
                    fix: Diagnostic.Fix(
                        replacement: "\"\(text)\"", range: file.range(ofUTF8: offsets)))
                continue
            }
            report(
                "the anchor '&\(name)' comes only after this alias; move it before its first use",
                offsets, notes: [Diagnostic.Note("the anchor is here", range: node.range)])
        }
    }

    private mutating func addPlaceholder(_ offsets: Range<Int>) -> Bool {
        let node = YAMLNode(
            kind: .scalar(YAMLScalar("")), file: file,
            place: YAMLNode.Place(
                offsets: offsets, contentStart: offsets.lowerBound, isFlow: false),
            isPlaceholder: true)
        add(node, endingAt: offsets.upperBound)
        return countNode(offsets)
    }
}
