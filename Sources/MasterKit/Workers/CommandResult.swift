/// How a command ended.
public struct CommandResult: Sendable, Hashable, Codable {
    /// How the program itself ended.
    public enum Ending: Sendable, Hashable, Codable {
        /// It exited with this code. A file command that has done its work exits with 0.
        case exited(code: Int32)
        /// It was ended by this signal.
        case killed(signal: Int32)
    }

    /// The time limit that made the worker end a command.
    public enum Limit: Sendable, Hashable, Codable {
        /// The command wrote nothing for this long.
        case silence(Duration)
        /// The command ran for this long.
        case total(Duration)
    }

    /// How the program ended.
    public var ending: Ending

    /// The limit by which the worker ended the command; none when it ended by itself.
    public var timedOut: Limit?

    /// The time the command took, until the last of its processes was gone.
    public var elapsed: Duration

    /// What a file command was asked for.
    public var value: Value

    /// Makes a result.
    ///
    /// - Parameters:
    ///   - ending: How the program ended.
    ///   - timedOut: The limit by which the worker ended it.
    ///   - elapsed: The time it took.
    ///   - value: What a file command was asked for.
    public init(
        _ ending: Ending = .exited(code: 0),
        timedOut: Limit? = nil,
        elapsed: Duration,
        value: Value = .nothing
    ) {
        self.ending = ending
        self.timedOut = timedOut
        self.elapsed = elapsed
        self.value = value
    }

    /// The exit code, or none when a signal ended the program.
    public var exitCode: Int32? {
        if case .exited(let code) = ending { code } else { nil }
    }

    /// Whether the program exited with 0 and within its time limits.
    public var isSuccess: Bool {
        timedOut == nil && exitCode == 0
    }
}

extension CommandResult: CustomStringConvertible {
    /// How the command ended, in words: `exit code 1`, `killed by signal 9 (SIGKILL)`,
    /// `timed out: 1200 seconds without output`.
    public var description: String {
        switch (timedOut, ending) {
        case (.silence(let limit)?, _): "timed out: \(limit.inSeconds) without output"
        case (.total(let limit)?, _): "timed out: ran for \(limit.inSeconds)"
        case (nil, .exited(let code)): "exit code \(code)"
        case (nil, .killed(let signal)): "killed by \(SignalName(signal))"
        }
    }
}
