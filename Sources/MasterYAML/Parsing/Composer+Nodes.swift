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
        isMapping: Bool,
        _ isFlow: Bool,
        _ properties: YAMLEvent.Properties,
        _ offsets: Range<Int>
    ) -> Bool {
        guard countNode(offsets) else { return false }
        guard frames.count < YAMLParser.maximumDepth else {
            let line = file.byteRange(ofLineAt: offsets.lowerBound)
            let end = min(offsets.lowerBound + 1, line.upperBound)
            return refuse(
                "lists and mappings are nested deeper than \(YAMLParser.maximumDepth) levels",
                offsets.lowerBound..<max(end, offsets.lowerBound)
            )
        }
        let (tag, contentStart) = tagAndContent(properties, offsets)
        let frame = Frame(
            isMapping: isMapping,
            isFlow: isFlow,
            tag: tag,
            anchor: properties.anchor,
            start: offsets.lowerBound,
            contentStart: contentStart,
            end: offsets.upperBound
        )
        if let anchor = properties.anchor { anchors[anchor] = .open(frame.start) }
        frames.append(frame)
        return true
    }

    /// Ends the innermost list or mapping.
    mutating func finishCollection(_ offsets: Range<Int>) {
        guard let frame = frames.popLast() else { return }
        let end = frame.isFlow ? offsets.upperBound : frame.end
        let isTrap = frame.isMapping && frame.isFlow && reportFlowTrap(in: frame, end: end)
        let kind: YAMLNode.Kind =
            frame.isMapping
            ? .mapping(YAMLMapping(isTrap ? [] : entries(of: frame.items)))
            : .sequence(frame.items)
        let node = YAMLNode(
            kind: kind,
            tag: frame.tag,
            anchor: frame.anchor,
            file: file,
            place: YAMLNode.Place(
                offsets: frame.start..<max(end, frame.start),
                contentStart: frame.contentStart,
                isFlow: frame.isFlow
            ),
            isPlaceholder: isTrap || isRepaired(frame.start)
        )
        checkCoreTag(of: node)
        if let anchor = frame.anchor, case .open(frame.start) = anchors[anchor] {
            anchors[anchor] = .node(node)
        }
        add(node, endingAt: end)
    }

    /// Adds a single value.
    mutating func addScalar(
        _ scalar: YAMLScalar,
        _ properties: YAMLEvent.Properties,
        _ offsets: Range<Int>
    ) -> Bool {
        let (tag, contentStart) = tagAndContent(properties, offsets)
        let end =
            scalar.style == .literal || scalar.style == .folded
            ? endOfBlock(contentStart..<offsets.upperBound) : offsets.upperBound
        let node = YAMLNode(
            kind: .scalar(scalar),
            tag: tag,
            anchor: properties.anchor,
            file: file,
            place: YAMLNode.Place(
                offsets: offsets.lowerBound..<end,
                contentStart: contentStart,
                isFlow: false
            ),
            isPlaceholder: isRepaired(contentStart)
        )
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
                offsets.lowerBound..<offsets.lowerBound
            )
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
    func isRepaired(_ offset: Int) -> Bool {
        repairs.contains { $0.contains(offset) }
    }

    private func tagAndContent(
        _ properties: YAMLEvent.Properties,
        _ offsets: Range<Int>
    ) -> (YAMLTag?, Int) {
        guard properties.tag != nil || properties.anchor != nil else {
            return (nil, offsets.lowerBound)
        }
        let found = NodeProperties(file.bytes, offsets)
        let tag = properties.tag.map { YAMLTag(resolved: $0, file: file, offsets: found.tag) }
        return (tag, found.contentStart)
    }

    /// libyaml ends a block after the line ends that follow; people see its end at the last character.
    private func endOfBlock(_ content: Range<Int>) -> Int {
        var end = content.upperBound
        while end > content.lowerBound + 1, file.bytes[end - 1].isBlankOrBreak { end -= 1 }
        return end
    }

    private mutating func checkCoreTag(of node: YAMLNode) {
        guard let tag = node.tag, case .core(let core) = tag.kind, let place = node.place else {
            return
        }
        let fits =
            switch (core, node.kind) {
            case (.map, .mapping), (.seq, .sequence), (.str, .scalar): true
            case (.null, .scalar): node.resolved == .null
            case (.bool, .scalar), (.int, .scalar), (.float, .scalar): node.hasType(core)
            default: false
            }
        if !fits {
            report("the tag \(tag) does not fit: this is \(node.kindDescription)", place.offsets)
        }
    }
}

extension YAMLNode {
    fileprivate func hasType(_ core: YAMLTag.Core) -> Bool {
        switch (core, resolved) {
        case (.bool, .bool), (.int, .int), (.float, .float): true
        default: false
        }
    }
}
