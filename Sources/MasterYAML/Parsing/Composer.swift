/// Builds nodes from events and reports mistakes in them.
struct Composer {
    enum Outcome {
        /// The whole file was read; nil when it holds no document.
        case finished(YAMLNode?)
        /// A limit was exceeded; a diagnostic says which.
        case refused
        /// libyaml found a syntax error.
        case failed(SyntaxProblem)
    }

    /// What an anchor refers to.
    enum Anchor {
        /// A collection that has not ended yet, identified by its offset.
        case open(Int)
        case node(YAMLNode)
    }

    let file: SourceFile
    /// Ranges that were overwritten because of mistakes already reported.
    let repairs: [Range<Int>]
    /// Whether whole sections were skipped, so that anchors may be missing.
    let lacksSections: Bool
    var frames: [Frame] = []
    var root: YAMLNode?
    var anchors: [String: Anchor] = [:]
    var unknownAliases: [(name: String, offsets: Range<Int>)] = []
    /// The aliases and the nodes they refer to.
    var aliases: [(alias: Range<Int>, target: Range<Int>)] = []
    var nodeCount = 0
    var expandedCount = 0
    var documentCount = 0
    var diagnostics: [Diagnostic] = []
    var omittedCount = 0
    /// The last scalar, which helps to explain a syntax error after it.
    var lastScalar: (scalar: YAMLScalar, offsets: Range<Int>)?

    /// The offsets of the last event.
    var lastEvent = 0..<0

    init(file: SourceFile, repairs: [Range<Int>] = [], lacksSections: Bool = false) {
        self.file = file
        self.repairs = repairs
        self.lacksSections = lacksSections
    }

    /// Reads the bytes of a repaired file, whose offsets are those of the file.
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

    /// Handles an event; false when a limit is exceeded.
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

    /// Whether one more diagnostic can be added; counts it as omitted if not.
    mutating func hasRoom() -> Bool {
        guard diagnostics.count >= YAMLParser.maximumDiagnosticCount else { return true }
        omittedCount += 1
        return false
    }

    /// Adds a diagnostic, or counts it as omitted when there are too many.
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

    /// Reports which limit is exceeded, however many diagnostics there are, and returns false.
    mutating func refuse(_ message: String, _ offsets: Range<Int>) -> Bool {
        let range = file.range(ofUTF8: offsets)
        diagnostics.append(Diagnostic(.error, message, file: file, range: range))
        return false
    }

    /// Adds a finished node to the collection it belongs to.
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
            "a second document starts here; a file has only one: remove '---', or split the file",
            offsets
                .lowerBound..<max(min(offsets.lowerBound + 3, line.upperBound), offsets.lowerBound))
    }
}

extension Composer {
    /// A list or a mapping that has not ended yet.
    struct Frame {
        let isMapping: Bool
        let isFlow: Bool
        let tag: YAMLTag?
        let anchor: String?
        let start: Int
        let contentStart: Int
        /// The end of the last item.
        var end: Int
        /// The items; in a mapping alternating keys and values.
        var items: [YAMLNode] = []
    }

    /// Starts a list or a mapping; false when it is too deep.
    mutating func push(
        isMapping: Bool, _ isFlow: Bool, _ properties: YAMLEvent.Properties, _ offsets: Range<Int>
    ) -> Bool {
        guard countNode(offsets) else { return false }
        guard frames.count < YAMLParser.maximumDepth else {
            let line = file.byteRange(ofLineAt: offsets.lowerBound)
            let end = min(offsets.lowerBound + 1, line.upperBound)
            return refuse(
                "lists and mappings are nested deeper than \(YAMLParser.maximumDepth) levels; "
                    + "use fewer",
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

    /// Where the innermost brackets or braces open, if the innermost collection is in flow style.
    var openBracket: Int? {
        guard frames.last?.isFlow ?? false else { return nil }
        return frames.last {
            let first = file.bytes[$0.contentStart...].first
            return $0.isFlow && (first == .openBracket || first == .openBrace)
        }?.contentStart
    }

    /// Whether an offset is in a range that was overwritten.
    func isRepaired(_ offset: Int) -> Bool { repairs.contains { $0.contains(offset) } }

    /// The tag of a node, and where its content starts.
    private struct NodeHead {
        var tag: YAMLTag?
        var contentStart: Int
        var hasUnknownTag = false
    }

    /// Reads the tag of a node; an unknown one is reported and dropped.
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

    /// Returns the end of a block scalar, without the trailing line breaks that libyaml includes.
    private func endOfBlock(_ content: Range<Int>) -> Int {
        var end = content.upperBound
        while end > content.lowerBound + 1, file.bytes[end - 1].isBlankOrBreak { end -= 1 }
        return end
    }
}

extension Composer {
    /// The number of nodes that aliases may always expand to.
    static let expansionAllowance = 100_000

    /// Replaces an alias by the node of its anchor; false when the expansion is too large.
    mutating func addAlias(_ name: String, _ offsets: Range<Int>) -> Bool {
        switch anchors[name] {
        case .node(let node):
            expandedCount += node.expandedCount
            guard expandedCount <= Self.expansionAllowance + 10 * nodeCount else {
                return refuse(
                    "the aliases of this file expand to more than \(Self.expansionAllowance) values; "
                        + "nest fewer aliases", offsets)
            }
            if let place = node.place { aliases.append((offsets, place.offsets)) }
            add(node, endingAt: offsets.upperBound)
            return true
        case .open:
            report(
                "the alias '*\(name.clipped)' is inside the value it refers to; remove it",
                offsets)
        case nil: unknownAliases.append((name, offsets))
        }
        return addPlaceholder(offsets)
    }

    /// Reports unknown aliases; called at the end, when it is known whether an anchor comes later.
    mutating func reportUnknownAliases() {
        guard !lacksSections else { return }
        for (fullName, offsets) in unknownAliases where hasRoom() {
            let name = fullName.clipped
            let text = file.text(ofUTF8: offsets)
            guard case .node(let node) = anchors[fullName] else {
                report(
                    "there is no anchor '&\(name)'; "
                        + "if '\(text.clipped)' is text, put quotes around it", offsets,
                    fix: Diagnostic.Fix(
                        replacement: "\"\(text)\"", range: file.range(ofUTF8: offsets)))
                continue
            }
            report(
                "the anchor '&\(name)' is defined after this alias; move it before its first use",
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
