internal import Synchronization

/// A program that keeps running after the step that started it.
///
/// It ends by itself, by a later step that stops it, or after the last step of its build.
public final class BackgroundProgram: Sendable {
    /// What is known about a program.
    public enum Status: Sendable {
        /// The machine has not started it yet.
        case starting
        /// It is running.
        case running
        /// It has ended by itself, or because of a limit of its command.
        case ended(CommandResult)
        /// It could not be started, or its output could not be kept.
        case failed(any Error)
        /// It was stopped.
        case stopped
    }

    private struct State {
        var status = Status.starting
        /// The number of its process, if it is on the master's machine.
        var process: Int?
        /// Why it is stopped, once it is.
        var stopReason: String?
        var task: Task<Void, Never>?
    }

    /// The name by which later steps refer to it, unique among the running ones of a build.
    public let name: String
    private let state = Mutex(State())
    private let judge: @Sendable (CommandResult) -> Results

    fileprivate init(
        name: String, judging judge: @escaping @Sendable (CommandResult) -> Results
    ) {
        self.name = name
        self.judge = judge
    }

    /// What is known about the program now.
    public var status: Status { state.withLock { $0.status } }

    /// The result that the way in which the program ended by itself stands for.
    public func results(for end: CommandResult) -> Results { judge(end) }

    /// Whether it may still be running.
    fileprivate var isAlive: Bool {
        switch status {
        case .starting, .running: true
        case .ended, .failed, .stopped: false
        }
    }

    /// Ends the program with all its processes, and waits for that and for the end of its logs.
    ///
    /// - Parameter reason: The last line of its log, unless it had ended before.
    /// - Returns: What is known about it: `stopped` unless it had ended before.
    @discardableResult
    public func stop(_ reason: String) async -> Status {
        let task = state.withLock { state in
            state.stopReason = state.stopReason ?? reason
            return state.task
        }
        task?.cancel()
        await task?.value
        return status
    }

    /// Begins to run the program. Called before anybody can know it, and so stop it.
    fileprivate func begin(
        _ run: @escaping @Sendable (BackgroundProgram) async throws -> CommandResult
    ) {
        // Outlives the step on purpose: ends with the program, which `stop` ends at the latest
        // after the last step of the build.
        let task = Task {
            let status: Status
            do {
                status = .ended(try await run(self))
            } catch is CancellationError {
                status = .stopped
            } catch {
                status = .failed(error)
            }
            state.withLock { $0.status = status }
        }
        state.withLock { $0.task = task }
    }

    fileprivate func noteStart(of process: Int?) {
        state.withLock { state in
            state.status = .running
            state.process = process
        }
    }

    fileprivate var process: Int? { state.withLock { $0.process } }

    fileprivate var stopReason: String? { state.withLock { $0.stopReason } }
}

/// The programs of a build that keep running after the steps that started them.
package final class BackgroundPrograms: Sendable {
    private let programs = Mutex<[BackgroundProgram]>([])

    /// Creates an empty set.
    package init() {}

    /// The program with a name; of several that were started one after the other, the last one.
    package subscript(name: String) -> BackgroundProgram? {
        programs.withLock { $0.last { $0.name == name } }
    }

    /// Adds a program and begins to run it.
    fileprivate func start(
        _ program: BackgroundProgram,
        _ run: @escaping @Sendable (BackgroundProgram) async throws -> CommandResult
    ) throws(CommandError) {
        try programs.withLock { programs throws(CommandError) in
            guard !programs.contains(where: { $0.name == program.name && $0.isAlive }) else {
                throw CommandError(
                    .invalid,
                    "the program '\(program.name)' is already running; give this one another 'id'")
            }
            programs.removeAll { $0.name == program.name }
            program.begin(run)
            programs.append(program)
        }
    }

    /// Forgets a program, which has ended.
    fileprivate func remove(_ program: BackgroundProgram) {
        programs.withLock { $0.removeAll { $0 === program } }
    }

    /// Ends all programs, and waits for that.
    ///
    /// - Returns: The errors of those whose logs could not be written.
    package func stopAll(_ reason: String) async -> [any Error] {
        await withTaskGroup(of: BackgroundProgram.Status.self) { group in
            for program in programs.withLock({ $0 }) {
                group.addTask { await program.stop(reason) }
            }
            return await group.reduce(into: []) { errors, status in
                // An error of a command was reported by the step that started it.
                if case .failed(let error) = status, !(error is CommandError) {
                    errors.append(error)
                }
            }
        }
    }
}

/// A worker on the master's machine that knows at which ports its programs listen.
package protocol ListenerLookup: Sendable {
    /// Whether a running program, or one that it has started, listens at a port; `nil` if that can't
    /// be told.
    func isListening(process: Int, at port: Int) async -> Bool?
}

/// The logs of a program that keeps running after its step.
package protocol ProgramLogs: Sendable {
    /// Opens a log, also after the step has ended.
    func openLog(_ log: String) async throws -> any StepLog
    /// Ends all of them.
    func close() async throws
}

extension ProgramLogs {
    /// Does something and ends the logs, also if that fails.
    fileprivate func closing<Value>(_ body: () async throws -> Value) async throws -> Value {
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        try await close()
        return try outcome.get()
    }
}

extension StepContext {
    /// Starts a program that keeps running after the step, with its output in a log `stdio` that
    /// ends with the program.
    ///
    /// The function returns before the program has been started; see ``BackgroundProgram/status``.
    ///
    /// - Parameters:
    ///   - shell: What to run; its `maxTime` and `timeout` apply to the whole life of the program.
    ///   - name: The name by which later steps find it.
    ///   - judge: Returns the result that the way in which it ended by itself stands for.
    ///   - observe: Called for each line of output, as long as the program runs.
    /// - Returns: The program.
    /// - Throws: ``CommandError`` if one of the same name is running, and the faults of logs.
    public func start(
        _ shell: Command.Shell, named name: String,
        judging judge: @escaping @Sendable (CommandResult) -> Results = {
            $0.isSuccess ? .success : .failure
        },
        observing observe: @escaping @Sendable (OutputLine) -> Void = { _ in }
    ) async throws -> BackgroundProgram {
        let (host, logs) = (host, host.makeProgramLogs())
        let stdio = try await logs.openLog("stdio")
        let program = BackgroundProgram(name: name, judging: judge)
        do throws(CommandError) {
            try host.programs.start(program) { program in
                try await logs.closing {
                    do {
                        var output = CommandOutput(stdio, observe) { try await logs.openLog($0) }
                        let result = try await host.runProgram(shell) { update in
                            if case .started(let process) = update.content {
                                program.noteStart(of: process)
                            }
                            try await output.take(update)
                        }
                        output.finish()
                        return result
                    } catch let error as CommandError {
                        try await stdio.line(error.message, to: .stderr)
                        throw error
                    } catch let error as CancellationError {
                        if let reason = program.stopReason {
                            try await stdio.line(reason, to: .header)
                        }
                        throw error
                    }
                }
            }
        } catch {
            _ = try await logs.closing { try await stdio.line(error.message, to: .stderr) }
            throw error
        }
        return program
    }

    /// Whether a program, or one that it has started, listens at a port of this machine.
    ///
    /// - Returns: `nil` if that can't be told, as for sockets of other users' programs.
    public func isListening(_ program: BackgroundProgram, at port: LoopbackPort) async -> Bool? {
        guard let process = program.process else { return nil }
        return await host.listeners?.isListening(process: process, at: port.number)
    }

    /// Stops a program that has not become ready, and forgets it.
    public func discard(_ program: BackgroundProgram, _ reason: String) async {
        await program.stop(reason)
        host.programs.remove(program)
    }

    /// The program that an earlier step started under a name, running or not.
    public func program(named name: String) -> BackgroundProgram? { host.programs[name] }

    /// Whether the worker is on the master's machine, so that its programs can be reached at
    /// `127.0.0.1`.
    public var isWorkerLocal: Bool { host.isWorkerLocal }
}

/// A step that starts or stops a background program, whose names are checked when the file is read.
public protocol ProgramStep: Step {
    /// What the step does to which program.
    var programUse: ProgramUse { get }
}

/// What a step does to a background program.
public enum ProgramUse: Sendable {
    /// It starts one with this name; `nil` for the name of the step.
    case start(Renderable<String>?)
    /// It stops the one with this name.
    case stop(Renderable<String>)
}
