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
                        + "use fewer aliases inside of each other",
                    offsets
                )
            }
            add(node, endingAt: offsets.upperBound)
            return true
        case .open:
            report(
                "'*\(name.clipped)' stands inside of the very value that it names; remove it",
                offsets)
        case nil:
            unknownAliases.append((name, offsets))
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
                        + "if '\(text.clipped)' is meant as text, put quotes around it",
                    offsets,
                    fix: Diagnostic.Fix(
                        replacement: "\"\(text)\"",
                        range: file.range(ofUTF8: offsets)
                    )
                )
                continue
            }
            report(
                "the anchor '&\(name)' comes only after this alias; move it before its first use",
                offsets,
                notes: [Diagnostic.Note("the anchor is here", range: node.range)]
            )
        }
    }

    private mutating func addPlaceholder(_ offsets: Range<Int>) -> Bool {
        let node = YAMLNode(
            kind: .scalar(YAMLScalar("")),
            file: file,
            place: YAMLNode.Place(
                offsets: offsets,
                contentStart: offsets.lowerBound,
                isFlow: false
            ),
            isPlaceholder: true
        )
        add(node, endingAt: offsets.upperBound)
        return countNode(offsets)
    }
}
