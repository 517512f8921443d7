/// A copy of a file in which mistakes are overwritten, so that the rest can be read.
///
/// Every byte keeps its place.
struct SyntaxRepair {
    /// The bytes to be read.
    private(set) var bytes: [UInt8]
    /// Where values were overwritten.
    private(set) var stretches: [Range<Int>] = []
    /// Whether whole sections were left out.
    private(set) var lacksSections = false

    /// Starts with the file as it is.
    init(_ file: SourceFile) { bytes = file.bytes }

    /// Overwrites a mistake; false when that changes nothing, so that reading on is of no use.
    mutating func apply(_ explanation: SyntaxExplanation) -> Bool {
        switch explanation.recovery {
        case .stop: return false
        case .overwrite(let value):
            stretches.append(value)
            return fill(value, with: UInt8(ascii: "x"))
        case .dropTag(let tag):
            stretches.append(tag.lowerBound..<explanation.offsets.upperBound)
            return fill(tag, with: .space)
        case .skipSection:
            let finder = SectionFinder(bytes)
            let start = finder.start(before: explanation.offsets.lowerBound)
            let end = finder.end(after: explanation.offsets.lowerBound)
            lacksSections = true
            return fill(start..<end, with: .space)
        }
    }

    private mutating func fill(_ range: Range<Int>, with filler: UInt8) -> Bool {
        var hasChanged = false
        for offset in range where !bytes[offset].isLineBreak && bytes[offset] != filler {
            bytes[offset] = filler
            hasChanged = true
        }
        return hasChanged
    }
}
