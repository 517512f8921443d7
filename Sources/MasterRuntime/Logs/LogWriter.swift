internal import Dispatch
internal import MasterKit
internal import Synchronization
internal import SystemPackage

/// A log of a step on disk: masked, in whole lines, written as the output comes.
///
/// What comes in while a write is under way is written by the next one; when that has grown to
/// ``bound`` bytes, the writer waits.
final class LogWriter: StepLog {
    /// How much may wait to be written, in bytes.
    static let bound = 1 << 20

    private struct State {
        var lines = LogLines()
        var masks: [LogChannel: SecretMask.Stream] = [:]
        var pending: [UInt8] = []
        var isWriting = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        var fault: LogFault?
    }

    private let state = Mutex(State())
    private let descriptor: FileDescriptor
    private let path: String
    private let mask: SecretMask
    private let queue: DispatchQueue
    private let observe: (@Sendable ([UInt8]) async -> Void)?

    /// Creates the file.
    ///
    /// - Parameters:
    ///   - path: Where it is kept; an older file of that name is replaced.
    ///   - mask: What is replaced before anything is written.
    ///   - queue: The serial queue of the master's logs.
    ///   - observe: Called with the lines of each piece, marked and masked, in order.
    /// - Throws: ``LogFault`` when the file can't be made.
    init(
        path: String, mask: SecretMask, queue: DispatchQueue,
        observe: (@Sendable ([UInt8]) async -> Void)?
    ) throws(LogFault) {
        self.path = path
        self.mask = mask
        self.queue = queue
        self.observe = observe
        do {
            descriptor = try FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead])
        } catch {
            throw LogFault(path: path, cause: error)
        }
    }

    func write(_ bytes: ArraySlice<UInt8>, to channel: LogChannel) async throws {
        let added = try add(bytes, channel, finishing: false)
        if added.isFull { await room() }
        if let observe, !added.lines.isEmpty { await observe(added.lines) }
    }

    /// Writes what is left and closes the file.
    ///
    /// - Returns: The number of lines.
    func close() async throws(LogFault) -> Int {
        defer { queue.async { [descriptor] in _ = try? descriptor.close() } }
        let added = try add([], .stdout, finishing: true)
        await drained()
        if let observe, !added.lines.isEmpty { await observe(added.lines) }
        return try state.withLock { state throws(LogFault) in
            if let fault = state.fault { throw fault }
            return state.lines.lineCount
        }
    }

    private func add(
        _ bytes: ArraySlice<UInt8>, _ channel: LogChannel, finishing: Bool
    ) throws(LogFault) -> (lines: [UInt8], isFull: Bool) {
        let (starts, added) = try state.withLock { state throws(LogFault) in
            if let fault = state.fault { throw fault }
            let before = state.pending.count
            mask(bytes, channel, &state)
            if finishing { finish(&state) }
            let starts = !state.isWriting && !state.pending.isEmpty
            if starts { state.isWriting = true }
            let lines = observe == nil ? [] : Array(state.pending[before...])
            return (starts, (lines, state.pending.count > Self.bound))
        }
        if starts { queue.async { self.writePending() } }
        return added
    }

    private func mask(_ bytes: ArraySlice<UInt8>, _ channel: LogChannel, _ state: inout State) {
        guard !mask.isEmpty else {
            state.lines.add(bytes, of: channel, to: &state.pending)
            return
        }
        let masked = state.masks[channel, default: mask.stream()].process(bytes)
        state.lines.add(masked[...], of: channel, to: &state.pending)
    }

    private func finish(_ state: inout State) {
        for channel in LogChannel.allCases {
            guard let rest = state.masks[channel]?.finish() else { continue }
            state.lines.add(rest[...], of: channel, to: &state.pending)
        }
        state.lines.finish(&state.pending)
    }

    /// Waits until there is room again.
    private func room() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if !state.isWriting { return true }
                state.waiters.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    /// Waits until everything is written.
    private func drained() async {
        while state.withLock({ $0.isWriting }) { await room() }
    }

    /// Writes until nothing is pending; runs on the queue of the logs.
    private func writePending() {
        while true {
            let (bytes, waiters) = state.withLock { state in
                let bytes = state.pending
                state.pending = []
                if bytes.isEmpty { state.isWriting = false }
                defer { state.waiters = [] }
                return (bytes, state.waiters)
            }
            for waiter in waiters { waiter.resume() }
            if bytes.isEmpty { return }
            do {
                try descriptor.writeAll(bytes)
            } catch {
                state.withLock { $0.fault = LogFault(path: path, cause: error) }
            }
        }
    }
}

/// A log that can't be written, such as on a full disk.
struct LogFault: Error, CustomStringConvertible {
    let path: String
    let cause: any Error

    var description: String {
        "the log \(path) can't be written: \(cause); make room or choose another --basedir"
    }
}
