extension YAMLNode {
    /// The place of the node, tag and anchor included; nil when it was built in code.
    ///
    /// A block collection ends with its last item, so comments after it are not included.
    public var range: SourceRange? {
        guard let file, let place else { return nil }
        return file.range(ofUTF8: place.offsets)
    }

    /// The place of the node without its tag and anchor; nil when it was built in code.
    public var contentRange: SourceRange? {
        guard let file, let place else { return nil }
        return file.range(ofUTF8: place.contentStart..<place.offsets.upperBound)
    }

    /// Whether a collection was written in brackets or braces.
    public var isFlow: Bool { place?.isFlow ?? false }

    /// The comment that follows a plain scalar on its line, `#` included, as in `make # all`.
    public var trailingComment: SourceRange? {
        guard let file, let place, case .scalar(let scalar) = kind, scalar.style == .plain else {
            return nil
        }
        let rest =
            place.offsets
            .upperBound..<file.byteRange(ofLineAt: place.offsets.upperBound)
            .upperBound
        guard let start = rest.first(where: { !file.bytes[$0].isBlank }),
            start > rest.lowerBound, file.bytes[start] == .hash
        else { return nil }
        return file.range(ofUTF8: start..<rest.upperBound)
    }

    /// Returns the place of a part of a scalar's value, such as `%(prop:x` inside of a string.
    ///
    /// Quotes, escapes, folded lines and the indentation of blocks are taken into account. Where the
    /// value cannot be followed back to the source to the letter, the place is that of the whole scalar.
    ///
    /// - Parameter offsets: UTF-8 offsets into ``YAMLScalar/value``.
    /// - Returns: The place, or nil when the node was built in code or is no scalar.
    public func range(ofUTF8 offsets: Range<Int>) -> SourceRange? {
        ScalarPlaces(of: self).range(ofUTF8: offsets)
    }

    /// Where a part of a scalar's value stands, when the value is written in this file.
    ///
    /// - Parameter offsets: UTF-8 offsets into ``YAMLScalar/value``.
    /// - Returns: The place, or nil when the value came from elsewhere, such as another file.
    public func exactRange(ofUTF8 offsets: Range<Int>) -> SourceRange? {
        ScalarPlaces(of: self).exactRange(ofUTF8: offsets)
    }
}

/// Finds the places of any number of parts of one scalar's value.
///
/// The scalar is followed back to the source once, when the first place is asked for.
public final class ScalarPlaces {
    private let node: YAMLNode
    private lazy var map = makeMap()

    /// Looks for the places of parts of a node's value.
    public init(of node: YAMLNode) {
        self.node = node
    }

    /// Returns the place of a part of the value, as ``YAMLNode/range(ofUTF8:)`` does.
    public func range(ofUTF8 offsets: Range<Int>) -> SourceRange? {
        exactRange(ofUTF8: offsets) ?? content.flatMap { node.file?.range(ofUTF8: $0) }
    }

    /// Where a part of the value stands, as ``YAMLNode/exactRange(ofUTF8:)`` says.
    public func exactRange(ofUTF8 offsets: Range<Int>) -> SourceRange? {
        map.flatMap { map in node.file?.range(ofUTF8: map.source(of: offsets)) }
    }

    private var content: Range<Int>? {
        guard let place = node.place, case .scalar = node.kind else { return nil }
        return place.contentStart..<place.offsets.upperBound
    }

    private func makeMap() -> ScalarSourceMap? {
        guard let file = node.file, let content, let scalar = node.scalar else { return nil }
        return ScalarSourceMap(scalar: scalar, bytes: file.bytes, content: content)
    }
}
