/// How a command ended.
public struct CommandResult: Sendable, Hashable, Codable {
    /// How the program itself ended.
    public enum Ending: Sendable, Hashable, Codable {
        /// It exited with this code. A file command that has done its work exits with 0.
        case exited(code: Int32)
        /// This signal killed it.
        case killed(signal: Int32)
    }

    /// The limit that made the worker end a command.
    public enum Limit: Sendable, Hashable, Codable {
        /// The command wrote nothing for this long.
        case silence(Duration)
        /// The command ran for this long.
        case total(Duration)
        /// The command wrote more lines than this.
        case lines(Int)
    }

    /// How the program ended.
    public var ending: Ending

    /// The limit by which the worker ended the command; `nil` when it ended by itself.
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
        _ ending: Ending = .exited(code: 0), timedOut: Limit? = nil, elapsed: Duration,
        value: Value = .nothing
    ) {
        self.ending = ending
        self.timedOut = timedOut
        self.elapsed = elapsed
        self.value = value
    }

    /// The exit code; `nil` when a signal ended the program.
    public var exitCode: Int32? {
        if case .exited(let code) = ending { code } else { nil }
    }

    /// Whether the program exited with 0 and within its limits.
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
        case (.lines(let limit)?, _): "ended: more than \(limit) lines of output"
        case (nil, .exited(let code)): "exit code \(code)"
        case (nil, .killed(let signal)): "killed by \(SignalName(signal))"
        }
    }
}

extension CommandResult {
    /// What a file command was asked for.
    public enum Value: Sendable, Hashable, Codable {
        /// The command gives nothing but its ending.
        case nothing
        /// What `stat` found; `nil` when there is nothing at the path.
        case status(FileStatus?)
        /// What `glob` or `listdir` found, sorted.
        case names([String])
        /// The number of bytes that `uploadFile` or `downloadFile` moved.
        case byteCount(Int)
    }

    /// What `stat` tells of a file.
    public struct FileStatus: Sendable, Hashable, Codable {
        /// What is at a path.
        public enum Kind: String, Sendable, Hashable, Codable {
            /// A file.
            case file
            /// A folder.
            case directory
            /// A device, a socket or a named pipe.
            case other
        }

        /// What is at the path, symbolic links followed.
        public var kind: Kind

        /// Its size in bytes.
        public var byteCount: Int

        /// Its permission bits, such as `0o644`.
        public var permissions: UInt32

        /// When its content last changed, in seconds since 1970.
        public var modified: Double

        /// Makes a status.
        ///
        /// - Parameters:
        ///   - kind: What is at the path.
        ///   - byteCount: Its size in bytes.
        ///   - permissions: Its permission bits.
        ///   - modified: When its content last changed, in seconds since 1970.
        public init(kind: Kind, byteCount: Int, permissions: UInt32, modified: Double) {
            self.kind = kind
            self.byteCount = byteCount
            self.permissions = permissions
            self.modified = modified
        }
    }
}

/// Why a command could not be run, or a file command failed.
public struct CommandError: Error, Sendable {
    /// The kinds of fault, for whoever handles one of them.
    public enum Code: String, Sendable, Hashable, Codable {
        /// The command is invalid: empty, or with a NUL in a text.
        case invalid
        /// There is no such program.
        case programNotFound
        /// The program is there but cannot be run.
        case programNotExecutable
        /// The folder to run in is missing, or is not a folder.
        case workdir
        /// The arguments and the environment are more than the system passes on.
        case argumentsTooLong
        /// The machine has no processes, threads, memory or file descriptors left.
        case noResources
        /// There is nothing at the path.
        case notFound
        /// Something is at the path already, or it is of the wrong kind.
        case wrongKind
        /// The system denies access.
        case denied
        /// The path is outside the folder in which the worker may delete and overwrite.
        case outsideRoot
        /// There is more than the command's limit allows.
        case tooLarge
        /// Any other answer of the system, such as a full disk.
        case system
    }

    /// The kind of fault.
    public var code: Code

    /// What went wrong and how to remedy it, in one sentence.
    public var message: String

    /// The error underneath.
    public var cause: (any Error)?

    /// Makes an error.
    ///
    /// - Parameters:
    ///   - code: The kind of fault.
    ///   - message: What went wrong and how to remedy it.
    ///   - cause: The error underneath.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension CommandError: CustomStringConvertible {
    /// The message.
    public var description: String { message }

    /// What went wrong without the remedy, short enough for a state text.
    public var reason: String { message.firstClause }
}

extension String {
    /// The text up to its first semicolon or line end, at most 200 characters.
    package var firstClause: String {
        var clause = prefix { !$0.isNewline }
        if let end = clause.firstRange(of: "; ") { clause = clause[..<end.lowerBound] }
        return clause.count > 200 ? clause.prefix(197) + "..." : String(clause)
    }
}

/// Output or another message of a running command.
public struct CommandUpdate: Sendable, Hashable {
    /// What an update brings.
    public enum Content: Sendable, Hashable {
        /// Bytes the program wrote to one of its streams, as they came: never empty, not cut at
        /// lines or characters.
        case output(OutputStream, [UInt8])
        /// Whole lines about the command itself, each ended by a newline.
        case header(String)
        /// The next bytes of the file that `uploadFile` reads; never empty.
        case content([UInt8])
        /// The next bytes of a log file of a program, by its name; never empty.
        case logFile(String, [UInt8])
    }

    /// A stream of a program.
    public enum OutputStream: String, Sendable, Hashable, Codable, CaseIterable {
        /// What the program writes to its file descriptor 1.
        case stdout
        /// What the program writes to its file descriptor 2.
        case stderr
    }

    /// What this update brings.
    public var content: Content

    /// The time since the command began.
    public var elapsed: Duration

    /// Makes an update.
    ///
    /// - Parameters:
    ///   - content: What it brings.
    ///   - elapsed: The time since the command began.
    public init(_ content: Content, elapsed: Duration) {
        self.content = content
        self.elapsed = elapsed
    }
}

/// A signal in words: `signal 9 (SIGKILL)`.
struct SignalName: CustomStringConvertible {
    private static let names: [Int32: String] = [
        1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT",
        7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2",
        13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
    ]

    let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    var description: String {
        guard let name = Self.names[number] else { return "signal \(number)" }
        return "signal \(number) (\(name))"
    }
}

extension Duration {
    /// The duration in words, for messages: `1 second`, `1200 seconds`, `0.25 seconds`.
    public var inSeconds: String {
        let (seconds, attoseconds) = components
        if attoseconds == 0 { return seconds == 1 ? "1 second" : "\(seconds) seconds" }
        return "\(self / .seconds(1)) seconds"
    }
}
