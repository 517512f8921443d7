internal import MasterKit

/// Turns output that comes in pieces of any size into whole lines, each marked with its channel.
///
/// A line that has no end yet is held back, at most ``longestLine`` bytes of it.
struct LogLines {
    /// A longer line is broken, in bytes.
    static let longestLine = 1 << 20

    private(set) var lineCount = 0
    private var unfinished: [LogChannel: [UInt8]] = [:]

    /// Adds a piece of output and appends the lines that it completes.
    mutating func add(_ bytes: ArraySlice<UInt8>, of channel: LogChannel, to lines: inout [UInt8]) {
        var rest = bytes
        lines.reserveCapacity(lines.count + rest.count + rest.count / 16)
        while let end = rest.firstIndex(of: 0x0A) {
            begin(channel, &lines)
            lines.append(contentsOf: rest[rest.startIndex...end])
            lineCount += 1
            rest = rest[(end + 1)...]
        }
        guard !rest.isEmpty else { return }
        unfinished[channel, default: []].append(contentsOf: rest)
        if unfinished[channel, default: []].count >= Self.longestLine { end(channel, &lines) }
    }

    /// Ends every line that is still unfinished.
    mutating func finish(_ lines: inout [UInt8]) {
        for channel in LogChannel.allCases where unfinished[channel] != nil {
            end(channel, &lines)
        }
    }

    private mutating func begin(_ channel: LogChannel, _ lines: inout [UInt8]) {
        lines.append(channel.rawValue)
        if let start = unfinished.removeValue(forKey: channel) {
            lines.append(contentsOf: start)
        }
    }

    private mutating func end(_ channel: LogChannel, _ lines: inout [UInt8]) {
        begin(channel, &lines)
        lines.append(0x0A)
        lineCount += 1
    }
}
