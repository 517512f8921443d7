/// Tags in the wrong place.
extension SyntaxExplainer {
    /// Explains a second tag on one node, a tag on an alias, and misspelt tags.
    func tags() -> SyntaxExplanation? {
        if says("undefined tag handle") { return handle() }
        if problem.context == "while scanning a tag" || problem.context == "while parsing a tag" {
            return misspelt()
        }
        let isProblem =
            says("expected key") || says("expected '-'") || says("expected ','")
            || says("node content") || says("<document start>")
        guard isProblem, let byte, let first = propertyBefore else { return nil }
        switch byte {
        case .ampersand where bytes[first.lowerBound] == .ampersand:
            let second = word(at: problem.offset)
            return SyntaxExplanation(
                message: "a value can have only one anchor; remove '\(text(second))'",
                offsets: second)
        case .exclamation: return secondTag(after: first)
        case .asterisk:
            return SyntaxExplanation(
                message: "an alias cannot have a tag; write the tag where the anchor is",
                offsets: first.lowerBound..<word(at: problem.offset).upperBound)
        default: return nil
        }
    }

    /// The tag, or else the anchor, that makes up the last event directly before the problem.
    private var propertyBefore: Range<Int>? {
        guard lastEvent.upperBound <= problem.offset,
            bytes[lastEvent.upperBound..<problem.offset].allSatisfy(\.isBlankOrBreak)
        else { return nil }
        let properties = NodeProperties(bytes, lastEvent)
        guard !lastEvent.isEmpty, properties.contentStart == lastEvent.upperBound else {
            return nil
        }
        return properties.tag ?? lastEvent
    }

    private func secondTag(after first: Range<Int>) -> SyntaxExplanation {
        let outer = text(first)
        let inner =
            NodeProperties(bytes, problem.offset..<bytes.count).tag ?? word(at: problem.offset)
        let whole = problem.offset..<max(parts.value.upperBound, inner.upperBound)
        let isWholeKnown = !isInFlow && whole.upperBound > inner.upperBound
        let list = isWholeKnown ? "[\(text(whole))]" : "[\(text(inner)) …]"
        return SyntaxExplanation(
            message: "a value can have only one tag; put the inner one in a list: \(outer) \(list)",
            offsets: first.lowerBound..<inner.upperBound, recovery: .dropTag(first))
    }

    private func handle() -> SyntaxExplanation {
        let start = problem.contextOffset ?? problem.offset
        let tag = NodeProperties(bytes, start..<bytes.count).tag ?? word(at: start)
        return SyntaxExplanation(
            message: "a tag has one '!', at its start; '\(text(tag))' has more", offsets: tag)
    }

    private func misspelt() -> SyntaxExplanation {
        let tag = word(at: problem.contextOffset ?? problem.offset)
        return SyntaxExplanation(
            message: "'\(text(tag))' is not a valid tag; write '!' and a name, as in !Property, "
                + "or put quotes around it if it is text", offsets: tag)
    }
}
