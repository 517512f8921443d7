internal import Dispatch
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// A signal to end the program, from users or the system.
enum StopSignal: Int32, Sendable {
    /// The terminal was closed.
    case hangUp = 1
    /// Ctrl-C.
    case interrupt = 2
    /// The default signal of `kill`.
    case terminate = 15

    /// A description of the signal for messages.
    var word: String {
        switch self {
        case .hangUp: "hung up"
        case .interrupt: "interrupted"
        case .terminate: "terminated"
        }
    }

    /// Calls a function for each signal from now on, one at a time, in place of an earlier function.
    ///
    /// These signals then no longer terminate the process. The function runs on a separate thread,
    /// so that it is called even if all threads that run tasks are busy.
    ///
    /// - Throws: ``FailedRun`` if the process has no descriptors left.
    static func watch(_ body: @escaping @Sendable (StopSignal) -> Void) throws(FailedRun) {
        let isWatching = handler.withLock { handler in
            defer { handler = body }
            return handler != nil
        }
        if isWatching { return }
        let ends: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
        do {
            ends = try FileDescriptor.pipe(options: .closeOnExec)
        } catch {
            handler.withLock { $0 = nil }
            throw FailedRun(
                "no pipe can be opened for signals (\(error)); raise the limit on open files")
        }
        arrivals.store(ends.writeEnd.rawValue, ordering: .releasing)
        for number in [SIGHUP, SIGINT, SIGTERM] { _ = signal(number, note) }
        DispatchQueue(label: "signals").async {
            while let signal = next(from: ends.readEnd.rawValue) {
                handler.withLock { $0 }?(signal)
            }
        }
    }

    private static let handler = Mutex<(@Sendable (StopSignal) -> Void)?>(nil)

    /// The descriptor to which the handler writes the number of a signal.
    private static let arrivals = Atomic<Int32>(-1)

    private static let note: @convention(c) (Int32) -> Void = { number in
        let fault = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = unsafe write(arrivals.load(ordering: .acquiring), &byte, 1)
        errno = fault
    }

    private static func next(from file: Int32) -> StopSignal? {
        while true {
            var byte: UInt8 = 0
            let count = unsafe read(file, &byte, 1)
            if count == 1, let signal = StopSignal(rawValue: Int32(byte)) { return signal }
            if count == 0 || (count < 0 && errno != EINTR) { return nil }
        }
    }
}

/// Recognizes a signal that repeats the one just before: `timeout` and others send TERM to the
/// process and again to its group. Who presses Ctrl-C twice means it.
struct SignalEcho {
    /// The time within which signals of one kind count as one.
    private static let time: Duration = .seconds(1)

    private var last: (signal: StopSignal, at: ContinuousClock.Instant)?

    /// Whether a signal repeats the last one; if not, it is the last one from now on.
    mutating func repeats(_ signal: StopSignal, at moment: ContinuousClock.Instant) -> Bool {
        if signal != .interrupt, let last, last.signal == signal, moment - last.at < Self.time {
            return true
        }
        last = (signal, moment)
        return false
    }
}

extension ExitStatus {
    /// The status after a signal, as in shells.
    init(_ signal: StopSignal) {
        self = .signal(signal.rawValue)
    }
}
