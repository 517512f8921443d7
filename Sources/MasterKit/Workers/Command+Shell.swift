extension Command {
    /// A program to run, or a line of shell.
    ///
    /// The program is started in a session of its own, with `/dev/null` or ``stdin`` as its input.
    /// Whatever it started is ended with it, also what has left the session: when the program has
    /// exited, when a time limit is over, when the caller is cancelled.
    public struct Shell: Sendable, Hashable, Codable {
        /// What to run.
        public var invocation: Invocation

        /// The folder to run in; it must be there.
        public var workdir: String

        /// Variables to set on top of the worker's own; those without a value are unset.
        public var environment: [String: String?] = [:]

        /// How long the program may write nothing to either stream; none is for ever.
        public var timeout: Duration? = .seconds(1200)

        /// How long the program may run; none is for ever.
        public var maxTime: Duration?

        /// What the program reads from its standard input.
        public var stdin: [UInt8] = []

        /// Whether what it writes to stdout is wanted; if not, it is read and dropped.
        public var wantsStdout = true

        /// Whether what it writes to stderr is wanted; if not, it is read and dropped.
        public var wantsStderr = true

        /// Whether the header lists the environment.
        public var logsEnvironment = false

        /// How long processes may take to end after TERM before they get KILL; zero is KILL at once.
        public var terminationGrace: Duration = .seconds(5)

        /// How long output is still read, after the program has exited, from processes it left
        /// behind with its streams open. Then those get TERM, and KILL.
        public var drainTime: Duration = .seconds(1)

        /// Makes a command with the usual limits.
        ///
        /// - Parameters:
        ///   - invocation: What to run: a list of arguments, or a line for the shell.
        ///   - workdir: The folder to run in.
        public init(_ invocation: Invocation, in workdir: String) {
            self.invocation = invocation
            self.workdir = workdir
        }
    }
}
