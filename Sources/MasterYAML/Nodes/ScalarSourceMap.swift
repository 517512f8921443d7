/// For every byte of a scalar's value, the bytes of the source that it was written as.
///
/// The source is decoded a second time, and only when somebody asks for the place of a part. The map
/// exists only when the outcome is the value to the letter.
struct ScalarSourceMap {
    private let decoded: DecodedText
    private let content: Range<Int>

    /// Decodes a scalar; nil when the outcome differs from its value.
    init?(scalar: YAMLScalar, bytes: [UInt8], content: Range<Int>) {
        let value = Array(scalar.value.utf8)
        let candidates: [DecodedText] =
            switch scalar.style {
            case .plain, .singleQuoted, .doubleQuoted:
                [FlowScalarDecoder.decode(bytes, content, style: scalar.style)]
            case .literal, .folded:
                BlockScalarDecoder.candidates(bytes, content, isFolded: scalar.style == .folded)
            }
        guard let decoded = candidates.first(where: { $0.bytes.starts(with: value) }) else {
            return nil
        }
        self.decoded = decoded
        self.content = content
    }

    /// Returns the source of a part of the value; a part outside of it is moved to its nearer end.
    func source(of part: Range<Int>) -> Range<Int> {
        let count = decoded.bytes.count
        let lower = min(max(part.lowerBound, 0), count)
        let upper = min(max(part.upperBound, lower), count)
        let end = decoded.sources.last?.upperBound ?? content.upperBound
        let start = lower < count ? decoded.sources[lower].lowerBound : end
        return start..<max(start, lower == upper ? start : decoded.sources[upper - 1].upperBound)
    }
}

/// Bytes, each with the stretch of the source it comes from.
struct DecodedText {
    private(set) var bytes: [UInt8] = []
    private(set) var sources: [Range<Int>] = []

    /// Appends a byte.
    mutating func append(_ byte: UInt8, from source: Range<Int>) {
        bytes.append(byte)
        sources.append(source)
    }

    /// Appends all bytes of a text that one stretch of source stands for.
    mutating func append(contentsOf text: some Sequence<UInt8>, from source: Range<Int>) {
        for byte in text { append(byte, from: source) }
    }

    /// Appends another text.
    mutating func append(_ other: DecodedText) {
        bytes += other.bytes
        sources += other.sources
    }

    /// Takes away all blanks at the end, but not those before `limit`.
    mutating func dropTrailingBlanks(downTo limit: Int) {
        while bytes.count > limit, bytes[bytes.count - 1].isBlank {
            bytes.removeLast()
            sources.removeLast()
        }
    }
}
