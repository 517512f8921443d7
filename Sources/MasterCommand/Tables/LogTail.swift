internal import FoundationEssentials
internal import MasterKit
internal import SystemPackage

/// The lines of a log that tell why its step failed: the last ones, and before them those that tell
/// of failures.
struct LogTail: Sendable, Hashable {
    /// The maximum number of last lines.
    static let lineLimit = 20
    /// The last lines are searched in this many bytes at the end of a file.
    private static let byteLimit = 1 << 20

    /// Lines before the last ones that tell of failures, in order; at most
    /// ``FailureSearch/lineLimit``.
    let errors: [LogLine]
    /// The last lines in order, in the order in which they were written.
    let lines: [LogLine]
    /// The first line that tells of a failure, and its place in a file.
    let cause: FailureCause?

    /// Reads a log.
    ///
    /// - Throws: An error if the file cannot be read.
    init(ofFile path: String) throws {
        // Foundation gives no reason that a user could understand.
        try FileDescriptor.open(FilePath(path), .readOnly).close()
        let data = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        var search = FailureSearch()
        var start = 0
        while start < data.count {
            let piece = [UInt8](data[start..<min(start + Self.byteLimit, data.count)])
            let end = piece.lastIndex(of: 0x0A).map { $0 + 1 } ?? piece.count
            search.note(piece[..<end], offset: start)
            start += end
        }
        let end = data.suffix(Self.byteLimit)
        self.init(
            end: [UInt8](end), isWhole: end.count == data.count, offset: data.count - end.count,
            search)
    }

    /// Keeps the lines that matter of marked text.
    ///
    /// - Parameters:
    ///   - end: The end of a log.
    ///   - isWhole: Whether it is the whole log; otherwise its first line lacks its beginning.
    init(end: [UInt8], isWhole: Bool) {
        var search = FailureSearch()
        let start = isWhole ? 0 : end.firstIndex(of: 0x0A).map { $0 + 1 } ?? end.count
        search.note(end[start...], offset: start)
        self.init(end: end, isWhole: isWhole, offset: 0, search)
    }

    private init(end: [UInt8], isWhole: Bool, offset: Int, _ search: FailureSearch) {
        var all = end.split(separator: 0x0A, omittingEmptySubsequences: false)
            .map { (offset: offset + $0.startIndex, line: LogLine(marked: $0)) }
        if all.last?.line.text.isEmpty == true, all.last?.line.channel == nil { all.removeLast() }
        if !isWhole, all.count > Self.lineLimit { all.removeFirst() }
        // What the master says before any output is how the command was started.
        let output = all.firstIndex { $0.line.channel != .header } ?? all.startIndex
        let last = all[output...].filter { !$0.line.isNoise }.suffix(Self.lineLimit)
        lines = last.map(\.line)
        let limit = last.first?.offset ?? .max
        errors = search.found(before: limit)
        cause = FailureCause(search.found(before: .max))
    }
}

extension LogLine {
    /// Whether a line of the master's tells nothing about a failure.
    fileprivate var isNoise: Bool {
        guard channel == .header else { return false }
        return ["elapsedTime=", " argv: [", " in dir "].contains { text.hasPrefix($0) }
    }
}
