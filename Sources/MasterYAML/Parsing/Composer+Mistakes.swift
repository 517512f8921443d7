extension Composer {
    /// Reports a flow mapping that is valid YAML but clearly a mistake; returns whether it is one.
    mutating func reportFlowMistakes(in frame: Frame, end: Int) -> Bool {
        if isTemplate(frame) {
            report(SyntaxExplanation.unquotedTemplate, frame.contentStart..<end)
            return true
        }
        let isInsideTemplate =
            frames.last.map { $0.isMapping && $0.isFlow && $0.items.isEmpty } ?? false
        guard !isInsideTemplate else { return false }
        let count = diagnostics.count + omittedCount
        for index in stride(from: 0, to: frame.items.count - 1, by: 2) {
            reportMissingSpace(key: frame.items[index], value: frame.items[index + 1])
        }
        return diagnostics.count + omittedCount > count
    }

    /// Whether a flow mapping begins with `{{`.
    private func isTemplate(_ frame: Frame) -> Bool {
        guard let key = frame.items.first, key.mapping != nil, key.isFlow, let place = key.place
        else { return false }
        return place.offsets.lowerBound == frame.contentStart + 1
    }

    /// Reports `{a:b}`, which is a key `a:b` without a value.
    private mutating func reportMissingSpace(key: YAMLNode, value: YAMLNode) {
        guard let scalar = key.scalar, scalar.style == .plain, value.isNull, !key.isPlaceholder,
            let place = key.place, let valuePlace = value.place, valuePlace.offsets.isEmpty,
            let colon = place.offsets.first(where: { file.bytes[$0] == .colon }),
            !file.bytes[place.offsets].contains(where: \.isLineBreak),
            colon + 1 < place.offsets.upperBound, file.bytes[colon + 1] != UInt8(ascii: "/")
        else { return }
        guard hasRoom() else { return }
        let fixed =
            file.text(ofUTF8: place.offsets.lowerBound..<colon + 1) + " "
            + file.text(ofUTF8: colon + 1..<place.offsets.upperBound)
        report(
            "a space is missing after the colon; write '\(fixed.clipped)'", place.offsets,
            fix: Diagnostic.Fix(replacement: fixed, range: file.range(ofUTF8: place.offsets)))
    }

    /// Warns about a list item that is indented too deep and so becomes part of the text above it.
    mutating func reportSwallowedItem(_ scalar: YAMLScalar, _ offsets: Range<Int>) {
        guard scalar.style == .plain, file.bytes[offsets].contains(where: \.isLineBreak) else {
            return
        }
        let first = file.lineNumber(ofUTF8Offset: offsets.lowerBound)
        let last = file.lineNumber(ofUTF8Offset: offsets.upperBound)
        for number in stride(from: first + 1, through: last, by: 1) {
            let line = LineParts(file.bytes, line: file.byteRange(ofLine: number))
            guard LineParts.isListItem(file.bytes, line) else { continue }
            report(
                "this line continues the text above it; "
                    + "indent it like the other list items, or put quotes around the text",
                line.contentStart..<line.line.upperBound, severity: .warning)
        }
    }

    /// Reports a core tag on a node of another kind, such as `!!int x`.
    mutating func checkCoreTag(of node: YAMLNode) {
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

    /// Reports a tag that is neither YAML's own nor written as `!Name`.
    mutating func reportUnknownTag(_ offsets: Range<Int>) {
        let known = YAMLTag.Core.allCases.map { "!!\($0.rawValue)" }.joined(separator: ", ")
        report(
            "unknown tag '\(file.text(ofUTF8: offsets).clipped)'; remove it, or use one of \(known)",
            offsets)
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
