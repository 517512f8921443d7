public import MasterKit
import Synchronization

/// A step log in memory.
///
/// Lines are as in the store: each starts with the letter of its channel, a line of one channel is
/// not split by output of another, and a header ends unfinished lines of output.
public final class RecordedLog: StepLog {
    /// The name under which the step opened it.
    public let name: String
    /// The kind of its content.
    public let kind: Log.Kind

    private struct State {
        var lines: [String] = []
        var unfinished: [LogChannel: [UInt8]] = [:]

        mutating func end(_ channel: LogChannel) {
            guard let rest = unfinished.removeValue(forKey: channel) else { return }
            lines.append(RecordedLog.line(rest[...], channel))
        }
    }

    private let mask: SecretMask
    private let changed: @Sendable () -> Void
    private let state = Mutex(State())

    /// Creates a log that calls a closure after each write.
    init(
        name: String, kind: Log.Kind, mask: SecretMask, changed: @escaping @Sendable () -> Void
    ) {
        self.name = name
        self.kind = kind
        self.mask = mask
        self.changed = changed
    }

    /// The lines so far, each starting with the letter of its channel.
    public var lines: [String] {
        state.withLock { state in
            let rest = LogChannel.allCases.compactMap { channel in
                state.unfinished[channel].map { Self.line($0[...], channel) }
            }
            return (state.lines + rest).map { mask.apply(to: $0) }
        }
    }

    /// The lines with line ends, as in the store.
    public var content: String {
        lines.map { "\($0)\n" }.joined()
    }

    /// Appends output of one channel.
    public func write(_ bytes: ArraySlice<UInt8>, to channel: LogChannel) async throws {
        state.withLock { state in
            if channel == .header, !bytes.isEmpty {
                for output in LogChannel.output { state.end(output) }
            }
            var open = state.unfinished.removeValue(forKey: channel) ?? []
            open.append(contentsOf: bytes)
            var rest = open[...]
            while let end = rest.firstIndex(of: 0x0A) {
                state.lines.append(Self.line(rest[..<end], channel))
                rest = rest[(end + 1)...]
            }
            if !rest.isEmpty { state.unfinished[channel] = Array(rest) }
        }
        changed()
    }

    /// Does nothing: lines are masked when they are read.
    public func flush(_ channel: LogChannel) async throws {}

    private static func line(_ bytes: ArraySlice<UInt8>, _ channel: LogChannel) -> String {
        let letter = String(Unicode.Scalar(channel.rawValue))
        return letter + String(decoding: bytes, as: UTF8.self)
    }
}
