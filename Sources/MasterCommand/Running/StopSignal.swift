internal import UnixSignals

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

    /// Calls a function for each signal that comes, until the task is cancelled.
    ///
    /// From then on these signals no longer end the program by themselves.
    static func watch(_ body: (StopSignal) async -> Void) async {
        for await signal in await UnixSignalsSequence(trapping: .sighup, .sigint, .sigterm) {
            guard let signal = StopSignal(rawValue: signal.rawValue) else { continue }
            await body(signal)
        }
    }
}

extension ExitStatus {
    /// The status after a signal, as shells count it.
    init(_ signal: StopSignal) {
        self = .signal(signal.rawValue)
    }
}
