internal import Dispatch
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// A signal by which people and systems end a program.
enum StopSignal: Int32, Sendable {
    /// The terminal has gone.
    case hangUp = 1
    /// Ctrl-C.
    case interrupt = 2
    /// What `kill` sends.
    case terminate = 15

    /// What happened, in one word.
    var word: String {
        switch self {
        case .hangUp: "hung up"
        case .interrupt: "interrupted"
        case .terminate: "terminated"
        }
    }

    /// Calls a function for each signal that comes from now on, one after the other.
    ///
    /// From then on these signals no longer end the process by themselves. The function runs on a
    /// thread of its own: it is called however busy the threads are on which tasks run.
    ///
    /// - Throws: ``FailedRun`` when the process has no descriptors left.
    static func watch(_ body: @escaping @Sendable (StopSignal) -> Void) throws(FailedRun) {
        let ends: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
        do {
            ends = try FileDescriptor.pipe(options: .closeOnExec)
        } catch {
            throw FailedRun(
                "no pipe can be opened for signals (\(error)); raise the limit on open files")
        }
        arrivals.store(ends.writeEnd.rawValue, ordering: .releasing)
        for number in [SIGHUP, SIGINT, SIGTERM] { _ = signal(number, note) }
        DispatchQueue(label: "signals").async {
            while let signal = next(from: ends.readEnd.rawValue) { body(signal) }
        }
    }

    /// Where the handler writes the number of a signal.
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

extension ExitStatus {
    /// The status after a signal, as shells count it.
    init(_ signal: StopSignal) {
        self = .signal(signal.rawValue)
    }
}
