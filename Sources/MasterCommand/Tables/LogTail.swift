internal import FoundationEssentials
internal import MasterKit

/// The last lines of a log on disk.
struct LogTail: Sendable, Hashable {
    /// How many lines are kept.
    static let lineLimit = 20
    /// How much of the end of a file is read.
    private static let byteLimit = 64 << 10

    /// The last lines in order.
    let lines: [LogLine]
    /// Whether more lines stand before them.
    let isCut: Bool

    /// Reads the end of a log.
    ///
    /// - Throws: When the file cannot be read.
    init(ofFile path: String) throws {
        let data = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        let end = data.suffix(Self.byteLimit)
        self.init(end: [UInt8](end), isWhole: end.count == data.count)
    }

    /// Takes the last lines of marked text.
    ///
    /// - Parameters:
    ///   - end: The end of a log.
    ///   - isWhole: Whether it is the whole log; else its first line is left out.
    init(end: [UInt8], isWhole: Bool) {
        let all = LogLine.lines(marked: end).dropFirst(isWhole ? 0 : 1)
        lines = Array(all.suffix(Self.lineLimit))
        isCut = !isWhole || all.count > Self.lineLimit
    }
}
