import MasterKit
import SystemPackage

/// How a program ended.
struct ProgramEnd: Sendable {
    var ending: CommandResult.Ending
    var timedOut: CommandResult.Limit?
}

/// One run of a program, from its first header line to its last process.
///
/// The program is started, read, ended and waited for on one thread, see ``RunningProgram``; this
/// hands on what it says.
struct ProgramRun {
    private let shell: Command.Shell
    private let workdir: FilePath
    private let environment: ChildEnvironment
    private let withheld: [String]
    private let commands: LiveCommands
    private let started: ContinuousClock.Instant

    /// Prepares a run; `withheld` are variables that the environment lacks, as they hold secrets.
    init(
        _ shell: Command.Shell,
        in workdir: FilePath,
        environment: ChildEnvironment,
        withheld: Set<String>,
        commands: LiveCommands,
        started: ContinuousClock.Instant
    ) {
        self.shell = shell
        self.commands = commands
        self.workdir = workdir
        self.environment = environment.overlaid(with: ["PWD": workdir.string])
            .overlaid(with: shell.environment)
        self.withheld = withheld.filter { name in
            shell.environment[name] == nil && shell.invocation.mentions(variable: name)
        }.sorted()
        self.started = started
    }

    /// Runs it and hands on what it says.
    func run(updates: (CommandUpdate) async throws -> Void) async throws -> CommandResult {
        try ProgramCheck.checkTexts(of: shell)
        try await updates(header(CommandHeader.begin(shell, in: workdir.string)))
        for name in withheld { try await updates(header(CommandHeader.withheld(name))) }
        if shell.logsEnvironment {
            try await updates(header(CommandHeader.environment(environment.lines)))
        }
        let queue = try OutputQueue()
        try startProgram(queue)
        let end = try await handOn(from: queue, to: updates)
        try Task.checkCancellation()
        let elapsed = ContinuousClock.now - started
        try await updates(header(CommandHeader.end(end.ending, elapsed: elapsed)))
        return CommandResult(end.ending, timedOut: end.timedOut, elapsed: elapsed)
    }

    private func header(_ text: String) -> CommandUpdate {
        CommandUpdate(.header(text), elapsed: .now - started)
    }

    /// Starts the program; the queue tells the rest.
    ///
    /// The thread ends with the program, and ``handOn(from:to:)`` does not return before that
    /// unless the program has been given up.
    private func startProgram(_ queue: OutputQueue) throws {
        let program = RunningProgram(
            shell,
            in: workdir,
            environment: environment,
            queue: queue,
            commands: commands,
            started: started
        )
        try OwnThread.start {
            do {
                queue.finish(.success(try program.run()))
            } catch {
                queue.finish(.failure(error))
            }
        }
    }

    /// Hands on until the program has ended; when that fails, ends the program and then fails.
    private func handOn(
        from queue: OutputQueue,
        to updates: (CommandUpdate) async throws -> Void
    ) async throws -> ProgramEnd {
        var failure: (any Error)?
        return try await withTaskCancellationHandler {
            while true {
                switch await queue.next() {
                case .item(let item):
                    // Output that is there already never suspends; others want a turn too.
                    await Task.yield()
                    guard failure == nil else { continue }
                    do {
                        try await updates(CommandUpdate(item.content, elapsed: item.elapsed))
                    } catch {
                        failure = error
                        queue.stop()
                    }
                case .ended(let end):
                    if let failure { throw failure }
                    return try end.get()
                }
            }
        } onCancel: {
            queue.stop()
        }
    }
}

extension Command.Invocation {
    /// Whether an argument or the script refers to a variable, as `$NAME` or `${NAME…}`.
    fileprivate func mentions(variable name: String) -> Bool {
        arguments.contains { text in
            text.contains("$") && text.mentions(variable: name)
        }
    }
}

extension String {
    private static func isPartOfName(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte)
            || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    fileprivate func mentions(variable name: String) -> Bool {
        let (bytes, name) = (Array(utf8), Array(name.utf8))
        return bytes.indices.contains { index in
            guard bytes[index] == UInt8(ascii: "$") else { return false }
            var rest = bytes[(index + 1)...]
            if rest.first == UInt8(ascii: "{") { rest = rest.dropFirst() }
            guard rest.starts(with: name) else { return false }
            return rest.dropFirst(name.count).first.map { !Self.isPartOfName($0) } ?? true
        }
    }
}
