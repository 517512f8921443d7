internal import MasterKit

/// Splits output that arrives in pieces of any size into complete lines, each prefixed with its
/// channel.
///
/// An unterminated line is held back until it ends, a header arrives or the log is finished. A line
/// longer than the limit is broken, at the same position however the pieces arrive.
struct LogLines {
    private(set) var lineCount = 0
    private let longestLine: Int
    private let limit: Int?
    /// How much of the end of a log is recorded beyond its limit, in bytes: there is why the command
    /// failed, and how it ended.
    private let endByteCount: Int
    private var byteCount = 0
    private var isCut = false
    /// The lines beyond the limit: the last ones, and up to as much before them.
    private var ending: [UInt8] = []
    /// The number of bytes of lines that are recorded nowhere.
    private var droppedByteCount = 0
    private var unfinished: [LogChannel: [UInt8]] = [:]

    /// Creates an empty log.
    ///
    /// - Parameters:
    ///   - longestLine: The maximum length of a line in bytes, without its line feed.
    ///   - limit: The maximum size of all lines in bytes; `nil` for no limit.
    init(longestLine: Int = 1 << 20, limit: Int? = nil) {
        self.longestLine = longestLine
        self.limit = limit
        endByteCount = min(64 << 10, limit ?? 0)
    }

    /// Adds a piece of output and appends the lines that it completes.
    mutating func add(_ bytes: ArraySlice<UInt8>, of channel: LogChannel, to lines: inout [UInt8]) {
        if channel == .header, !bytes.isEmpty { endOutput(&lines) }
        let bytes = bytes.span
        var start = 0
        if unfinished[channel] != nil {
            let end = bytes.index(of: 0x0A, from: 0) ?? bytes.count
            hold(bytes.extracting(..<end), of: channel, &lines)
            guard end < bytes.count else { return }
            let line = unfinished.removeValue(forKey: channel) ?? []
            complete(line.span, of: channel, &lines)
            start = end + 1
        }
        while let end = bytes.index(of: 0x0A, from: start) {
            complete(bytes.extracting(start..<end), of: channel, &lines)
            start = end + 1
        }
        if start < bytes.count { hold(bytes.extracting(start...), of: channel, &lines) }
    }

    /// The ends of the unterminated lines of output, each with its channel and a line feed, in at
    /// most the given number of bytes.
    func unfinished(byteCount: Int) -> [UInt8] {
        LogChannel.output.flatMap { channel -> [UInt8] in
            guard !isCut, let line = unfinished[channel] else { return [] }
            return [channel.rawValue] + line.suffix(byteCount) + [0x0A]
        }
    }

    /// Completes every unterminated line.
    mutating func finish(_ lines: inout [UInt8]) {
        endOutput(&lines)
        end(.header, &lines)
        recordEnd(&lines)
    }

    /// Completes unterminated lines of output, so that a header follows all output before it.
    private mutating func endOutput(_ lines: inout [UInt8]) {
        for channel in LogChannel.output { end(channel, &lines) }
    }

    private mutating func end(_ channel: LogChannel, _ lines: inout [UInt8]) {
        guard let line = unfinished.removeValue(forKey: channel) else { return }
        complete(line.span, of: channel, &lines)
    }

    /// Buffers the beginning of a line until the rest arrives; whole multiples of the longest line
    /// are appended at once.
    private mutating func hold(
        _ bytes: Span<UInt8>, of channel: LogChannel, _ lines: inout [UInt8]
    ) {
        unfinished[channel, default: []].append(bytes)
        guard let line = unfinished[channel], line.count > longestLine else { return }
        let count = (line.count - 1) / longestLine * longestLine
        complete(line.span.extracting(..<count), of: channel, &lines)
        unfinished[channel] = Array(line[count...])
    }

    private mutating func complete(
        _ line: Span<UInt8>, of channel: LogChannel, _ lines: inout [UInt8]
    ) {
        var start = 0
        repeat {
            let end = min(start + longestLine, line.count)
            append(line.extracting(start..<end), of: channel, &lines)
            start = end
        } while start < line.count
    }

    private mutating func append(
        _ line: Span<UInt8>, of channel: LogChannel, _ lines: inout [UInt8]
    ) {
        guard !isCut else { return keep(line, of: channel) }
        guard let limit, byteCount + line.count + 2 > limit else {
            return record(line, of: channel, &lines)
        }
        var count = max(0, min(line.count, limit - byteCount - 2))
        while count > 0, count < line.count, line[count] & 0xC0 == 0x80 { count -= 1 }
        if count > 0 { record(line.extracting(..<count), of: channel, &lines) }
        let words = "log truncated after \(byteCount) bytes: raise max_log_size"
        record(Array(words.utf8).span, of: .header, &lines)
        isCut = true
        keep(line.extracting(count...), of: channel)
    }

    private mutating func record(
        _ line: Span<UInt8>, of channel: LogChannel, _ lines: inout [UInt8]
    ) {
        lines.append(channel.rawValue)
        lines.append(line)
        lines.append(0x0A)
        byteCount += line.count + 2
        lineCount += 1
    }

    /// Keeps a line beyond the limit for the end of the log.
    private mutating func keep(_ line: Span<UInt8>, of channel: LogChannel) {
        ending.append(channel.rawValue)
        ending.append(line)
        ending.append(0x0A)
        if ending.count > 2 * endByteCount { shortenEnd() }
    }

    /// Drops lines before the end of the log, and the beginning of a line that is longer than it.
    private mutating func shortenEnd() {
        guard ending.count > endByteCount else { return }
        var start = ending.count - endByteCount
        if let last = ending[(start - 1)...].dropLast().firstIndex(of: 0x0A) {
            start = last + 1
            ending.removeFirst(start)
        } else {
            let first = ending[..<start].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            ending = [ending[first]] + ending[(start + 1)...]
        }
        droppedByteCount += start
    }

    /// Records the end of a log that exceeds its limit.
    private mutating func recordEnd(_ lines: inout [UInt8]) {
        guard isCut else { return }
        shortenEnd()
        if droppedByteCount > 0 {
            let words = "\(droppedByteCount) bytes dropped; the end of the log follows"
            record(Array(words.utf8).span, of: .header, &lines)
        }
        lines += ending
        byteCount += ending.count
        lineCount += ending.count { $0 == 0x0A }
        ending = []
    }
}

extension Set<String> {
    /// Returns a name for URLs and files that is unique among the step's logs, and inserts it into
    /// the set.
    mutating func uniqueSlug(for name: String) -> String {
        let plain = String(
            name.unicodeScalars.prefix(45).map { scalar -> Character in
                switch scalar {
                case "a"..."z", "A"..."Z", "0"..."9", "-": Character(scalar)
                default: "_"
                }
            })
        var slug = plain.isEmpty ? "log" : plain
        var count = 1
        while !insert(slug).inserted {
            count += 1
            slug = "\(plain)_\(count)"
        }
        return slug
    }
}
