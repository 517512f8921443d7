/// Finds the tag and the anchor before a node, which libyaml gives no places for.
struct NodeProperties {
    /// The offsets of the tag, if there is one.
    private(set) var tag: Range<Int>?
    /// The offset of the first character after tag, anchor and what separates them.
    private(set) var contentStart: Int

    /// Looks at the beginning of a node.
    init(_ bytes: [UInt8], _ node: Range<Int>) {
        contentStart = node.lowerBound
        while contentStart < node.upperBound {
            let start = contentStart
            switch bytes[start] {
            case .exclamation:
                contentStart = Self.endOfWord(bytes, start..<node.upperBound)
                tag = start..<contentStart
            case .ampersand:
                contentStart = Self.endOfWord(bytes, start..<node.upperBound)
            default: return
            }
            contentStart = Self.endOfSeparation(bytes, contentStart..<node.upperBound)
        }
    }

    private static func endOfWord(_ bytes: [UInt8], _ rest: Range<Int>) -> Int {
        let isVerbatim = bytes[rest].starts(with: "!<".utf8)
        return rest.first {
            bytes[$0].isBlankOrBreak || !isVerbatim && bytes[$0].isFlowIndicator
        } ?? rest.upperBound
    }

    private static func endOfSeparation(_ bytes: [UInt8], _ rest: Range<Int>) -> Int {
        var offset = rest.lowerBound
        while offset < rest.upperBound {
            if bytes[offset] == .hash {
                while offset < rest.upperBound, !bytes[offset].isLineBreak { offset += 1 }
            } else if bytes[offset].isBlankOrBreak {
                offset += 1
            } else {
                break
            }
        }
        return offset
    }
}
