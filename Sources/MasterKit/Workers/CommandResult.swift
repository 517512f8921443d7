/// How a command ended.
public struct CommandResult: Sendable, Hashable, Codable {
    /// How the program itself ended.
    public enum Ending: Sendable, Hashable, Codable {
        /// It exited with this code. A file command that succeeds exits with 0.
        case exited(code: Int32)
        /// It was killed by this signal.
        case killed(signal: Int32)
    }

    /// The limit that caused the worker to end a command.
    public enum Limit: Sendable, Hashable, Codable {
        /// The command produced no output for this long.
        case silence(Duration)
        /// The command ran for this long.
        case total(Duration)
        /// The command wrote more lines than this.
        case lines(Int)
    }

    /// How the program ended.
    public var ending: Ending

    /// The limit that caused the worker to end the command, or `nil` if it ended by itself.
    public var timedOut: Limit?

    /// The time until the last of the command's processes had exited.
    public var elapsed: Duration

    /// The value returned by a file command.
    public var value: Value

    /// Creates a result.
    ///
    /// - Parameters:
    ///   - ending: How the program ended.
    ///   - timedOut: The limit that caused the worker to end it.
    ///   - elapsed: The time it took.
    ///   - value: The value returned by a file command.
    public init(
        _ ending: Ending = .exited(code: 0), timedOut: Limit? = nil, elapsed: Duration,
        value: Value = .nothing
    ) {
        self.ending = ending
        self.timedOut = timedOut
        self.elapsed = elapsed
        self.value = value
    }

    /// The exit code, or `nil` if a signal ended the program.
    public var exitCode: Int32? {
        if case .exited(let code) = ending { code } else { nil }
    }

    /// Whether the program exited with 0 and within its limits.
    public var isSuccess: Bool {
        timedOut == nil && exitCode == 0
    }
}

extension CommandResult: CustomStringConvertible {
    /// How the command ended: `exit code 1`, `killed by signal 9 (SIGKILL)`, `timed out: 1200
    /// seconds without output`.
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
    /// The value returned by a file command.
    public enum Value: Sendable, Hashable, Codable {
        /// The command has no value.
        case nothing
        /// The status found by `stat`, or `nil` if the path does not exist.
        case status(FileStatus?)
        /// The names found by `glob` or `listdir`, sorted.
        case names([String])
        /// The number of bytes transferred by `uploadFile` or `downloadFile`.
        case byteCount(Int)
    }

    /// The status of a file, as returned by `stat`.
    public struct FileStatus: Sendable, Hashable, Codable {
        /// The kind of file at a path.
        public enum Kind: String, Sendable, Hashable, Codable {
            /// A regular file.
            case file
            /// A folder.
            case directory
            /// A device, a socket, a named pipe, or a symbolic link that is not followed.
            case other
        }

        /// The kind of file.
        public var kind: Kind

        /// The size in bytes.
        public var byteCount: Int

        /// The permission bits, such as `0o644`.
        public var permissions: UInt32

        /// The modification time, in seconds since 1970.
        public var modified: Double

        /// Creates a status.
        ///
        /// - Parameters:
        ///   - kind: The kind of file.
        ///   - byteCount: The size in bytes.
        ///   - permissions: The permission bits.
        ///   - modified: The modification time, in seconds since 1970.
        public init(kind: Kind, byteCount: Int, permissions: UInt32, modified: Double) {
            self.kind = kind
            self.byteCount = byteCount
            self.permissions = permissions
            self.modified = modified
        }
    }
}

/// The reason why a command could not be run, or why a file command failed.
public struct CommandError: Error, Sendable {
    /// The kinds of error, for callers that handle a specific one.
    public enum Code: String, Sendable, Hashable, Codable {
        /// The command is invalid: it is empty, or a string contains a NUL.
        case invalid
        /// The program was not found.
        case programNotFound
        /// The program exists but cannot be executed.
        case programNotExecutable
        /// The folder to run in is missing, or is not a folder.
        case workdir
        /// The arguments and environment exceed the system's limit.
        case argumentsTooLong
        /// The machine has run out of processes, threads, memory or file descriptors.
        case noResources
        /// The path does not exist.
        case notFound
        /// The path already exists, or is of the wrong kind.
        case wrongKind
        /// Permission was denied.
        case denied
        /// The path is outside the folder in which the worker may delete and overwrite.
        case outsideRoot
        /// The size exceeds the command's limit.
        case tooLarge
        /// Any other system error, such as a full disk.
        case system
    }

    /// The kind of error.
    public var code: Code

    /// One sentence: what went wrong and how to fix it.
    public var message: String

    /// The underlying error.
    public var cause: (any Error)?

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: The kind of error.
    ///   - message: What went wrong and how to fix it.
    ///   - cause: The underlying error.
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
    /// The text up to its first semicolon or line ending, at most 200 characters.
    package var firstClause: String {
        var clause = prefix { !$0.isNewline }
        if let end = clause.firstRange(of: "; ") { clause = clause[..<end.lowerBound] }
        return clause.count > 200 ? clause.prefix(197) + "..." : String(clause)
    }
}

/// Output or another message of a running command.
public struct CommandUpdate: Sendable, Hashable {
    /// The content of an update.
    public enum Content: Sendable, Hashable {
        /// Bytes the program wrote to one of its streams, unmodified: never empty, not split at
        /// lines or characters.
        case output(OutputStream, [UInt8])
        /// Whole lines about the command itself, each ending in a newline.
        case header(String)
        /// The program has been started; on the master's machine with the number of its process.
        case started(process: Int? = nil)
        /// The program has ended, and all of its output has been sent.
        case ended
        /// The next bytes of the file read by `uploadFile`; never empty.
        case content([UInt8])
        /// The next bytes of a program's log file, with its name; never empty.
        case logFile(String, [UInt8])
    }

    /// An output stream of a program.
    public enum OutputStream: String, Sendable, Hashable, Codable, CaseIterable {
        /// File descriptor 1.
        case stdout
        /// File descriptor 2.
        case stderr
    }

    /// The content of the update.
    public var content: Content

    /// The time since the start of the command.
    public var elapsed: Duration

    /// Creates an update.
    ///
    /// - Parameters:
    ///   - content: The content.
    ///   - elapsed: The time since the start of the command.
    public init(_ content: Content, elapsed: Duration) {
        self.content = content
        self.elapsed = elapsed
    }
}

/// A signal as shown in messages: `signal 9 (SIGKILL)`.
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
    /// The duration as shown in messages: `1 second`, `1200 seconds`, `0.25 seconds`.
    public var inSeconds: String {
        let (seconds, attoseconds) = components
        if attoseconds == 0 { return seconds == 1 ? "1 second" : "\(seconds) seconds" }
        return "\(self / .seconds(1)) seconds"
    }
}
