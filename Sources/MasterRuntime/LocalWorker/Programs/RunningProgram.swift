import CProcess
import Glibc
import MasterKit
import SystemPackage

/// How a program ended.
struct ProgramEnd: Sendable {
    var ending: CommandResult.Ending
    var timedOut: CommandResult.Limit?
}

/// One run of a program, from its first header line until its last process has exited.
///
/// The program is started, read, terminated and reaped on one thread, see ``RunningProgram``; this
/// passes on its output.
struct ProgramRun {
    private let shell: Command.Shell
    private let workdir: FilePath
    private let environment: ChildEnvironment
    private let withheld: [String]
    private let commands: LiveCommands
    private let started: ContinuousClock.Instant

    /// Prepares a run; `withheld` are variables missing from the environment because they hold
    /// secrets.
    init(
        _ shell: Command.Shell, in workdir: FilePath, environment: ChildEnvironment,
        withheld: Set<String>, commands: LiveCommands, started: ContinuousClock.Instant
    ) {
        self.shell = shell
        self.commands = commands
        self.workdir = workdir
        // The values refer to the worker's own variables; only afterwards is the command's own
        // `PWD` set.
        self.environment = environment.extended(with: shell.environment)
            .overlaid(with: shell.environment.keys.contains("PWD") ? [:] : ["PWD": workdir.string])
        self.withheld = withheld.filter { name in
            shell.environment[name] == nil && shell.invocation.mentions(variable: name)
                || shell.environment.values.contains { $0?.contains("${\(name)}") == true }
        }.sorted()
        self.started = started
    }

    /// Runs the program and passes on its output.
    func run(updates: (CommandUpdate) async throws -> Void) async throws -> CommandResult {
        try ProgramCheck.checkTexts(of: shell)
        try await updates(header(CommandHeader.begin(shell, in: workdir.string)))
        for name in withheld { try await updates(header(CommandHeader.withheld(name))) }
        if shell.logsEnvironment {
            try await updates(header(CommandHeader.environment(environment.lines)))
        }
        let queue = try OutputQueue()
        try startProgram(queue)
        let end = try await forward(from: queue, to: updates)
        try Task.checkCancellation()
        let elapsed = ContinuousClock.now - started
        try await updates(header(CommandHeader.end(end.ending, elapsed: elapsed)))
        return CommandResult(end.ending, timedOut: end.timedOut, elapsed: elapsed)
    }

    private func header(_ text: String) -> CommandUpdate {
        CommandUpdate(.header(text), elapsed: .now - started)
    }

    /// Starts the program, which reports to the queue.
    ///
    /// The thread ends with the program, and ``forward(from:to:)`` does not return before that
    /// unless the program cannot be killed.
    private func startProgram(_ queue: OutputQueue) throws {
        let program = RunningProgram(
            shell, in: workdir, environment: environment, queue: queue, commands: commands,
            started: started)
        try OwnThread.start {
            do {
                queue.finish(.success(try program.run()))
            } catch {
                queue.finish(.failure(error))
            }
        }
    }

    /// Passes on updates until the program has ended; if that fails, ends the program and then
    /// throws.
    private func forward(
        from queue: OutputQueue,
        to updates: (CommandUpdate) async throws -> Void
    ) async throws -> ProgramEnd {
        var failure: (any Error)?
        return try await withTaskCancellationHandler {
            while true {
                switch await queue.next() {
                case .item(let item):
                    // Taking output that is already there never suspends, so yield to other tasks.
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

/// A program from its start until it has been reaped and none of its processes are left.
///
/// Everything happens on the thread that calls ``run()``, which blocks until then.
struct RunningProgram: Sendable {
    /// The size of an output pipe: twice what is read at once.
    private static let pipeByteCount: CInt = 256 * 1024

    private let shell: Command.Shell
    private let workdir: FilePath
    private let environment: ChildEnvironment
    private let queue: OutputQueue
    private let commands: LiveCommands
    private let started: ContinuousClock.Instant

    init(
        _ shell: Command.Shell, in workdir: FilePath, environment: ChildEnvironment,
        queue: OutputQueue, commands: LiveCommands, started: ContinuousClock.Instant
    ) {
        self.shell = shell
        self.workdir = workdir
        self.environment = environment
        self.queue = queue
        self.commands = commands
        self.started = started
    }

    /// Runs the program to its end.
    func run() throws -> ProgramEnd {
        let child = try start()
        let report = commands.with(child.processes) {
            queue.put(
                .started(process: Int(child.processes.leader)), elapsed: .now - started)
            var pump = OutputPump(
                child.processes, processDescriptor: child.descriptor.number, sources: child.sources,
                logFiles: child.logFiles, queue: queue, shell: shell, started: started)
            let report = pump.run()
            tell(report)
            return report
        }
        return ProgramEnd(
            ending: CommandResult.Ending(code: process_wait(child.processes.leader)),
            timedOut: report.timedOut)
    }

    /// Reports what happened to processes that the program left running. If the program itself
    /// could not be killed, there is no result, and the run fails.
    private func tell(_ report: OutputPump.Report) {
        queue.put(.ended, elapsed: .now - started)
        if !report.ended.isEmpty {
            queue.put(.header(CommandHeader.ended(report.ended)), elapsed: .now - started)
        }
        guard !report.survivors.isEmpty || !report.hasExited else { return }
        let words = CommandHeader.survivors(report.survivors)
        queue.put(.header(words), elapsed: .now - started)
        if !report.hasExited {
            queue.finish(.failure(CommandError(.system, String(words.dropLast()))))
        }
    }

    // MARK: Start

    private struct Child {
        let processes: CommandProcesses
        /// Readable when the program has exited.
        let descriptor: OwnedDescriptor
        let sources: [OutputPump.Source]
        let logFiles: [FollowedFile]
    }

    private func start() throws -> Child {
        let stdin = try Self.input(shell.stdin)
        let output = try Output(of: shell)
        let logFiles = shell.logFiles.map { FollowedFile($0, in: workdir) }
        // Descriptors that are not passed on are closed when this function returns.
        let mark = ProcessMark.next()
        let check = ProgramCheck(shell, in: workdir, environment: environment)
        guardCommands()
        let child: (process: pid_t, descriptor: OwnedDescriptor)
        do {
            child = try NewProcess(
                candidates: check.candidates, arguments: shell.invocation.arguments,
                environment: environment, folder: workdir,
                streams: (stdin, output.stdout, output.stderr), mark: mark.number,
                hasTerminal: shell.usesTerminal
            ).start()
        } catch {
            throw check.explain(error)
        }
        return Child(
            processes: CommandProcesses(leader: child.process, mark: mark),
            descriptor: child.descriptor,
            sources: output.sources, logFiles: logFiles)
    }

    /// What the program writes to, and where that is read.
    private struct Output {
        let stdout: OwnedDescriptor
        let stderr: OwnedDescriptor
        let sources: [OutputPump.Source]

        init(of shell: Command.Shell) throws(CommandError) {
            if shell.usesTerminal {
                let terminal = try OwnedDescriptor.terminal()
                (stdout, stderr) = (terminal.writeEnd, terminal.writeEnd)
                sources = [
                    OutputPump.Source(
                        stream: .stdout, readEnd: terminal.readEnd, isWanted: shell.wantsStdout)
                ]
                return
            }
            let out = try OwnedDescriptor.pipe(byteCount: RunningProgram.pipeByteCount)
            guard !shell.mergesStreams else {
                (stdout, stderr) = (out.writeEnd, out.writeEnd)
                sources = [
                    OutputPump.Source(
                        stream: .stdout, readEnd: out.readEnd, isWanted: shell.wantsStdout)
                ]
                return
            }
            let errors = try OwnedDescriptor.pipe(byteCount: RunningProgram.pipeByteCount)
            (stdout, stderr) = (out.writeEnd, errors.writeEnd)
            sources = [
                OutputPump.Source(
                    stream: .stdout, readEnd: out.readEnd, isWanted: shell.wantsStdout),
                OutputPump.Source(
                    stream: .stderr, readEnd: errors.readEnd, isWanted: shell.wantsStderr),
            ]
        }
    }

    /// Ensures that the command ends with the master, or notes in its log that it may not.
    private func guardCommands() {
        do {
            try CommandGuardian.shared.start()
        } catch {
            queue.put(.header(CommandHeader.unguarded(error)), elapsed: .now - started)
        }
    }

    // MARK: Input

    /// Opens `/dev/null`, or an unlinked temporary file that contains the bytes.
    ///
    /// Unlike a pipe, a file needs no writer, and it is not an error if the program does not read
    /// it.
    private static func input(_ bytes: [UInt8]) throws(CommandError) -> OwnedDescriptor {
        guard bytes.isEmpty else { return try file(with: bytes) }
        do {
            return try POSIX.open("/dev/null", O_RDONLY)
        } catch {
            throw CommandError("/dev/null cannot be opened as the input of a command", error)
        }
    }

    private static func file(with bytes: [UInt8]) throws(CommandError) -> OwnedDescriptor {
        do {
            let file = try TemporaryFile(beside: "/tmp/buildmaster-stdin")
            try file.remove()
            try file.descriptor.descriptor.writeAll(bytes)
            try file.descriptor.descriptor.seek(offset: 0, from: .start)
            return file.descriptor
        } catch {
            throw CommandError(
                .system,
                "a command's input of \(bytes.count) bytes cannot be put into a file in /tmp "
                    + "(\(error)); free disk space there",
                cause: error
            )
        }
    }
}

extension CommandResult.Ending {
    /// Converts the result of `process_wait`.
    fileprivate init(code: CInt) {
        self = code < 0 ? .killed(signal: -code) : .exited(code: code)
    }
}
