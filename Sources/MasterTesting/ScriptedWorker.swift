public import MasterKit
import Synchronization

/// A worker that runs nothing: it answers commands as a test says, and records them.
///
/// ```swift
/// let worker = ScriptedWorker(.exit(0, .stdout("3 tests")), .exit(1, .stderr("no disk space")))
/// let harness = try StepHarness(worker: worker)
/// #expect(try await harness.run(step) == .failure)
/// #expect(worker.commandLines == ["swift build", "swift test"])
/// ```
///
/// Answers are given in order; a command beyond the last one fails. A closure answers by the command
/// instead.
public final class ScriptedWorker: Worker {
    /// A line of a program's output.
    public enum Line: Sendable, Hashable {
        /// A line on standard output.
        case stdout(String)
        /// A line on standard error.
        case stderr(String)
    }

    /// How a command ends.
    public enum Answer: Sendable {
        /// The program writes lines and exits with a code.
        case exits(code: Int32, [Line])
        /// The program writes lines and is killed by a signal.
        case killed(signal: Int32, [Line])
        /// The program writes lines and is ended by a limit.
        case timesOut(CommandResult.Limit, [Line])
        /// The command throws an error, such as a `CommandError` or `WorkerLost`.
        case fails(any Error)
        /// The command runs until it is cancelled.
        case hangs
        /// A file command returns a value.
        case returns(CommandResult.Value)
        /// `uploadFile` sends these bytes.
        case sends([UInt8])

        /// The program writes lines and exits with a code.
        public static func exit(_ code: Int32, _ lines: Line...) -> Answer {
            .exits(code: code, lines)
        }
    }

    private struct State {
        var answers: [Answer]
        var commands: [Command] = []
        var files: [String: [UInt8]] = [:]
    }

    /// The worker's name in builds.
    public let name: String
    /// Whether the worker counts as one on the master's machine.
    public let isLocal: Bool
    private let script: (@Sendable (Command) async throws -> Answer)?
    private let state: Mutex<State>

    /// Creates a worker that gives answers in order.
    public init(_ answers: Answer..., name: String = "scripted", isLocal: Bool = true) {
        self.name = name
        self.isLocal = isLocal
        script = nil
        state = Mutex(State(answers: answers))
    }

    /// Creates a worker whose answers depend on the command.
    public init(
        name: String = "scripted", isLocal: Bool = true,
        script: @escaping @Sendable (Command) async throws -> Answer
    ) {
        self.name = name
        self.isLocal = isLocal
        self.script = script
        state = Mutex(State(answers: []))
    }

    /// The commands so far, in the order in which they began, with absolute paths.
    public var commands: [Command] { state.withLock(\.commands) }

    /// The programs among the commands, as typed into a shell.
    public var commandLines: [String] {
        commands.compactMap { command in
            if case .shell(let shell) = command { "\(shell.invocation)" } else { nil }
        }
    }

    /// The files written with `downloadFile`, by their paths.
    public var files: [String: [UInt8]] { state.withLock(\.files) }

    /// Records the command and carries out its answer.
    public func run(
        _ command: Command, input: CommandInput,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        try Task.checkCancellation()
        let next: Answer? = state.withLock { state in
            state.commands.append(command)
            return state.answers.isEmpty ? nil : state.answers.removeFirst()
        }
        if case .downloadFile(let file) = command {
            let bytes = try await Self.all(of: input)
            state.withLock { $0.files[file.path] = bytes }
        }
        guard let answer = try await script?(command) ?? next else {
            throw CommandError(
                .invalid,
                "the ScriptedWorker has no answer for command \(commands.count): \(command.shown)")
        }
        return try await carryOut(answer, of: command, updates)
    }

    private func carryOut(
        _ answer: Answer, of command: Command, _ updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        func write(_ lines: [Line]) async throws {
            try await updates(CommandUpdate(.started(), elapsed: .zero))
            for line in lines {
                let (stream, text): (CommandUpdate.OutputStream, String) =
                    switch line {
                    case .stdout(let text): (.stdout, text)
                    case .stderr(let text): (.stderr, text)
                    }
                guard command.wants(stream) else { continue }
                try await updates(
                    CommandUpdate(.output(stream, Array("\(text)\n".utf8)), elapsed: .zero))
            }
            try await updates(CommandUpdate(.ended, elapsed: .zero))
        }
        switch answer {
        case .exits(let code, let lines):
            try await write(lines)
            return CommandResult(.exited(code: code), elapsed: .zero, value: value(of: command))
        case .killed(let signal, let lines):
            try await write(lines)
            return CommandResult(.killed(signal: signal), elapsed: .zero)
        case .timesOut(let limit, let lines):
            try await write(lines)
            return CommandResult(.killed(signal: 15), timedOut: limit, elapsed: .zero)
        case .fails(let error): throw error
        case .hangs:
            await Latch().wait()
            throw CancellationError()
        case .returns(let value): return CommandResult(elapsed: .zero, value: value)
        case .sends(let bytes):
            if !bytes.isEmpty { try await updates(CommandUpdate(.content(bytes), elapsed: .zero)) }
            return CommandResult(elapsed: .zero, value: .byteCount(bytes.count))
        }
    }

    /// The value of a file command that succeeds.
    private func value(of command: Command) -> CommandResult.Value {
        switch command {
        case .downloadFile(let file): .byteCount(files[file.path]?.count ?? 0)
        case .uploadFile: .byteCount(0)
        case .stat: .status(nil)
        case .glob, .listdir: .names([])
        case .shell, .mkdir, .rmdir, .cpdir: .nothing
        }
    }

    private static func all(of input: CommandInput) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let next = try await input.next(64 << 10)
            if next.isEmpty { return bytes }
            bytes += next
        }
    }
}

extension Command {
    /// The command line, or the name of the file command.
    var shown: String {
        switch self {
        case .shell(let shell): "\(shell.invocation)"
        case .mkdir(let command): "mkdir \(command.path)"
        case .rmdir(let command): "rmdir \(command.path)"
        case .cpdir(let command): "cpdir \(command.source) \(command.destination)"
        case .stat(let command): "stat \(command.path)"
        case .glob(let command): "glob \(command.pattern)"
        case .listdir(let command): "listdir \(command.path)"
        case .uploadFile(let command): "uploadFile \(command.path)"
        case .downloadFile(let command): "downloadFile \(command.path)"
        }
    }

    fileprivate func wants(_ stream: CommandUpdate.OutputStream) -> Bool {
        guard case .shell(let shell) = self else { return false }
        return stream == .stdout ? shell.wantsStdout : shell.wantsStderr
    }
}

/// A worker that counts the commands of another one, and can hold them up or let them fail.
final class ProbeWorker: Worker {
    enum Mode: Sendable {
        case passes
        case hangs
        case fails(any Error)
    }

    let base: any Worker
    let mode: Mode
    /// Opened by the first command.
    let reached: Latch
    private let state = Mutex((begun: 0, underWay: 0))

    init(_ base: any Worker, _ mode: Mode = .passes, reached: Latch = Latch()) {
        self.base = base
        self.mode = mode
        self.reached = reached
    }

    var name: String { base.name }
    var isLocal: Bool { base.isLocal }
    /// The number of commands that have begun.
    var begun: Int { state.withLock { $0.begun } }
    /// The number of commands that have not ended.
    var underWay: Int { state.withLock { $0.underWay } }

    func run(
        _ command: Command, input: CommandInput,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        state.withLock { state in
            state.begun += 1
            state.underWay += 1
        }
        defer { state.withLock { $0.underWay -= 1 } }
        reached.open()
        switch mode {
        case .passes: return try await base.run(command, input: input, updates: updates)
        case .fails(let error): throw error
        case .hangs:
            await Latch().wait()
            throw CancellationError()
        }
    }

    func abandonCommands() { base.abandonCommands() }
}
