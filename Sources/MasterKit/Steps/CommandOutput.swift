/// A line of output written by a program.
public struct OutputLine: Sendable, Hashable {
    /// The maximum length of a line, in bytes; the rest of a longer line is dropped.
    public static let maximumByteCount = 64 << 10

    /// The stream the line was written to.
    public let stream: CommandUpdate.OutputStream
    /// The line without its line ending; bytes that are not valid UTF-8 become replacement
    /// characters.
    public let text: String

    /// Creates a line.
    public init(_ text: String, on stream: CommandUpdate.OutputStream = .stdout) {
        self.stream = stream
        self.text = text
    }
}

extension StepContext {
    /// Runs a program with its output in a log, and passes each line to an observer.
    ///
    /// ```swift
    /// var warnings = 0
    /// let result = try await context.run(Command.Shell(["make"], in: context.workdir)) { line in
    ///     if line.text.contains("warning:") { warnings += 1 }
    /// }
    /// ```
    ///
    /// Each file in `logFiles` is written to a log of its name, opened when its first bytes arrive.
    /// If the command cannot be run, the error's message is also written to the log.
    ///
    /// - Parameters:
    ///   - shell: What to run.
    ///   - machine: Where to run it.
    ///   - log: Where the output goes; by default a new log `stdio`.
    ///   - observe: Called for each line, in order within a stream, while the program runs.
    /// - Returns: How the program ended.
    /// - Throws: ``CommandError`` when it could not be run, and the faults of logs.
    public func run(
        _ shell: Command.Shell, on machine: CommandMachine = .worker,
        into log: (any StepLog)? = nil, observing observe: ((OutputLine) -> Void)? = nil
    ) async throws -> CommandResult {
        let stdio = if let log { log } else { try await openLog("stdio") }
        var output = CommandOutput(stdio, observe) { try await openLog($0) }
        do {
            let result = try await run(.shell(shell), on: machine) { try await output.take($0) }
            output.finish()
            return result
        } catch let error as CommandError {
            try await stdio.line(error.message, to: .stderr)
            throw error
        }
    }
}

/// Passes a program's output on to logs and an observer.
struct CommandOutput {
    private static let newline = UInt8(ascii: "\n")

    private let stdio: any StepLog
    private let observe: ((OutputLine) -> Void)?
    private let openLog: (String) async throws -> any StepLog
    private var unfinished: [CommandUpdate.OutputStream: [UInt8]] = [:]
    private var files: [String: any StepLog] = [:]

    init(
        _ stdio: any StepLog, _ observe: ((OutputLine) -> Void)?,
        openLog: @escaping (String) async throws -> any StepLog
    ) {
        self.stdio = stdio
        self.observe = observe
        self.openLog = openLog
    }

    mutating func take(_ update: CommandUpdate) async throws {
        switch update.content {
        case .output(let stream, let bytes):
            note(bytes, on: stream)
            try await stdio.write(bytes[...], to: stream == .stdout ? .stdout : .stderr)
        case .header(let text): try await stdio.line(text, to: .header)
        case .logFile(let name, let bytes):
            try await file(name).write(bytes[...], to: .stdout)
        case .ended:
            // What may be the beginning of a secret is held back until it is known to be none.
            for channel in [LogChannel.stdout, .stderr] { try await stdio.flush(channel) }
        case .content, .started: break
        }
    }

    private mutating func file(_ name: String) async throws -> any StepLog {
        if let log = files[name] { return log }
        let log = try await openLog(name)
        files[name] = log
        return log
    }

    private mutating func note(_ bytes: [UInt8], on stream: CommandUpdate.OutputStream) {
        guard let observe else { return }
        var rest = bytes[...]
        while let end = rest.firstIndex(of: Self.newline) {
            append(rest[..<end], on: stream)
            hand(stream, to: observe)
            rest = rest[(end + 1)...]
        }
        append(rest, on: stream)
    }

    mutating func finish() {
        guard let observe else { return }
        for stream in CommandUpdate.OutputStream.allCases
        where unfinished[stream]?.isEmpty == false { hand(stream, to: observe) }
    }

    private mutating func append(
        _ bytes: ArraySlice<UInt8>, on stream: CommandUpdate.OutputStream
    ) {
        let room = OutputLine.maximumByteCount - (unfinished[stream]?.count ?? 0)
        unfinished[stream, default: []] += bytes.prefix(max(0, room))
    }

    private mutating func hand(
        _ stream: CommandUpdate.OutputStream, to observe: (OutputLine) -> Void
    ) {
        var line = unfinished[stream] ?? []
        unfinished[stream]?.removeAll(keepingCapacity: true)
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        observe(OutputLine(String(decoding: line, as: UTF8.self), on: stream))
    }
}
