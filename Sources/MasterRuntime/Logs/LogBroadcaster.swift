internal import Dispatch
internal import FoundationEssentials
internal import MasterKit
internal import Synchronization
internal import SystemPackage

/// Lets readers follow a log from any line, while it is being written or afterwards.
///
/// No output is buffered in memory: followers read the log's file at their own pace, and are only
/// notified that it has grown.
package final class LogBroadcaster: Sendable {
    /// A log that is being written.
    private struct LiveLog {
        let writer: LogWriter
        var followers: [Int: Signal] = [:]
    }

    private struct State {
        var live: [Int: LiveLog] = [:]
        var nextFollower = 0
    }

    private let state = Mutex(State())
    /// Reads files for all followers: reading waits for the disk, which a thread of the cooperative
    /// pool must not.
    private let readers = DispatchQueue(label: "buildmaster.log-readers", attributes: .concurrent)

    /// Registers a log as live, before it is announced.
    func begin(_ log: Int, _ writer: LogWriter) {
        state.withLock { $0.live[log] = LiveLog(writer: writer) }
    }

    /// The file of a log that is being written, or `nil` for any other log.
    func path(ofLive log: Int) -> String? {
        state.withLock { $0.live[log]?.writer.path }
    }

    /// The number of lines in the file of a log that is being written, or `nil` for any other log.
    func lineCount(ofLive log: Int) -> Int? {
        state.withLock { $0.live[log]?.writer }?.writtenLineCount
    }

    /// Notifies the followers of a log that lines have been written to its file.
    func noteGrowth(of log: Int) {
        for follower in state.withLock({ $0.live[log]?.followers.values.map(\.self) ?? [] }) {
            follower.raise()
        }
    }

    /// Ends a log: nothing more is written to its file.
    func end(_ log: Int) {
        let followers = state.withLock {
            $0.live.removeValue(forKey: log)?.followers.values.map(\.self)
        }
        for follower in followers ?? [] { follower.raise() }
    }

    /// Follows a log to its end.
    ///
    /// - Parameters:
    ///   - log: The id of the log.
    ///   - path: The log's file.
    ///   - line: The index of the first line to return, from 0.
    /// - Returns: The lines, in pieces as they are written. Iterating throws if the file cannot be
    ///   read.
    func follow(_ log: Int, at path: String, from line: Int) -> LogLineSequence {
        LogLineSequence(broadcaster: self, log: log, path: path, firstLine: line)
    }

    /// The whole lines of a log's file from an offset on, some 64 KiB; none at its end.
    fileprivate func lines(in path: String, from offset: Int) async throws -> [UInt8] {
        try await readers.perform { try LogFile.lines(in: path, from: offset) }
    }

    /// Lines of a log's file, as many as are wanted and fit.
    fileprivate func lines(
        in path: String, from line: Int, count: Int, byteCount: Int
    ) async throws -> [UInt8] {
        try await readers.perform {
            try LogFile.lines(in: path, from: line, count: count, byteCount: byteCount)
        }
    }

    /// The last bytes of a log that is being written, and those of lines that have not ended yet;
    /// `nil` for any other log.
    func tail(ofLive log: Int, byteCount: Int) async throws -> [UInt8]? {
        guard let writer = state.withLock({ $0.live[log]?.writer }) else { return nil }
        let written = try await readers.perform {
            try LogFile(path: writer.path).tail(byteCount: byteCount)
        }
        return written + writer.unfinished(byteCount: byteCount)
    }

    fileprivate func join(_ log: Int) -> (follower: Int, more: Signal) {
        state.withLock { state in
            state.nextFollower += 1
            let more = Signal()
            state.live[log]?.followers[state.nextFollower] = more
            return (state.nextFollower, more)
        }
    }

    fileprivate func leave(_ log: Int, _ follower: Int) {
        state.withLock { $0.live[log]?.followers[follower] = nil }
    }

    fileprivate func isLive(_ log: Int) -> Bool {
        state.withLock { $0.live[log] != nil }
    }
}

/// The lines of a log in pieces, from a given line until the log ends.
package struct LogLineSequence: AsyncSequence, Sendable {
    /// A piece of complete lines.
    package struct Piece: Sendable, Hashable {
        /// The index of the first line in the log, from 0.
        package let firstLine: Int
        /// The lines, each prefixed with its channel and terminated by a line feed.
        package let bytes: [UInt8]
    }

    fileprivate let broadcaster: LogBroadcaster
    fileprivate let log: Int
    fileprivate let path: String
    fileprivate let firstLine: Int

    package func makeAsyncIterator() -> Iterator {
        Iterator(self)
    }

    /// Reads the file, and waits at its end for more.
    package struct Iterator: AsyncIteratorProtocol {
        private let place: Place
        private let path: String
        private let firstLine: Int
        private var offset = 0
        private var line = 0

        fileprivate init(_ sequence: LogLineSequence) {
            place = Place(sequence.log, sequence.broadcaster)
            path = sequence.path
            firstLine = sequence.firstLine
        }

        /// The next lines, or `nil` once the log has ended or the task is cancelled.
        package mutating func next() async throws -> Piece? {
            while !Task.isCancelled {
                // Checked before the file is read, so that everything written before the end is
                // read, too.
                let isLive = place.isLive
                let bytes = try await place.broadcaster.lines(in: path, from: offset)
                if bytes.isEmpty {
                    guard isLive else { return nil }
                    await place.more.wait()
                } else if let piece = take(bytes) {
                    return piece
                }
            }
            return nil
        }

        /// Skips the lines before the first one to return.
        private mutating func take(_ bytes: [UInt8]) -> Piece? {
            offset += bytes.count
            var rest = bytes[...]
            while line < firstLine, let end = rest.firstIndex(of: 0x0A) {
                rest = rest[(end + 1)...]
                line += 1
            }
            guard !rest.isEmpty else { return nil }
            defer { line += rest.count { $0 == 0x0A } }
            return Piece(firstLine: line, bytes: Array(rest))
        }
    }

    /// A follower's registration for notifications, removed when the iterator is released.
    private final class Place: Sendable {
        let more: Signal
        private let log: Int
        private let follower: Int
        let broadcaster: LogBroadcaster

        init(_ log: Int, _ broadcaster: LogBroadcaster) {
            self.log = log
            self.broadcaster = broadcaster
            (follower, more) = broadcaster.join(log)
        }

        deinit { broadcaster.leave(log, follower) }

        var isLive: Bool { broadcaster.isLive(log) }
    }
}

/// Reads what has been written to a log, without waiting for more.
package struct LogReader: Sendable {
    fileprivate let broadcaster: LogBroadcaster
    fileprivate let path: String

    /// Whole lines from an offset on, about 64 KiB, each with the letter of its channel; none at the
    /// end.
    package func lines(from offset: Int) async throws -> [UInt8] {
        try await broadcaster.lines(in: path, from: offset)
    }

    /// Whole lines, each with the letter of its channel: fewer than wanted at the end of the log, or
    /// once they exceed a size.
    package func lines(
        from line: Int, count: Int, byteCount: Int
    ) async throws -> [UInt8] {
        try await broadcaster.lines(in: path, from: line, count: count, byteCount: byteCount)
    }
}

extension Master {
    /// The number of lines that can be read of a log that is being written, or `nil` if it has
    /// ended.
    package func lineCount(ofLog log: Int) -> Int? { environment.logs.lineCount(ofLive: log) }

    /// Reads a log, given the path in its row.
    package func reader(ofLogAt path: String) -> LogReader {
        LogReader(broadcaster: environment.logs, path: "\(options.basedir)/\(path)")
    }

    /// The last bytes of a log that is being written, and those of lines that have not ended yet;
    /// `nil` if the log has ended.
    package func tail(ofLog log: Int, byteCount: Int) async throws -> [UInt8]? {
        try await environment.logs.tail(ofLive: log, byteCount: byteCount)
    }
}
