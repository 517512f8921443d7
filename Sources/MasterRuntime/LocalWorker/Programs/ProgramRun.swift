import MasterKit
import Subprocess
import SystemPackage

/// One run of a program, from its first header line to its last process.
///
/// Starting, waiting and reaping are swift-subprocess's. Reading and ending are our own, because
/// its teardown stops as soon as the leader has exited, and what that left behind would live on.
struct ProgramRun {
    private let shell: Command.Shell
    private let workdir: FilePath
    private let environment: ChildEnvironment
    private let sessions: LiveSessions
    private let started: ContinuousClock.Instant

    init(
        _ shell: Command.Shell,
        in workdir: FilePath,
        environment: ChildEnvironment,
        sessions: LiveSessions,
        started: ContinuousClock.Instant
    ) {
        self.shell = shell
        self.sessions = sessions
        self.workdir = workdir
        self.environment = environment.overlaid(with: ["PWD": workdir.string])
            .overlaid(with: shell.environment)
        self.started = started
    }

    /// Runs it and hands on what it says.
    func run(updates: (CommandUpdate) async throws -> Void) async throws -> CommandResult {
        try ProgramCheck.checkTexts(of: shell)
        try await updates(header(CommandHeader.begin(shell, in: workdir.string)))
        if shell.logsEnvironment {
            try await updates(header(CommandHeader.environment(environment.lines)))
        }
        let queue = try OutputQueue()
        startProgram(queue)
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
    /// The task is not a child of the caller's, for two reasons: its cancellation must not reach
    /// swift-subprocess, which would kill the leader alone and at once; and a process that even
    /// KILL does not end must not keep the caller. The task ends with the program, and
    /// ``handOn(from:to:)`` does not return before that unless the pump has given it up.
    private func startProgram(_ queue: OutputQueue) {
        let program = RunningProgram(
            shell,
            in: workdir,
            environment: environment,
            queue: queue,
            sessions: sessions,
            started: started
        )
        Task.detached {
            do {
                queue.finish(.success(try await program.run()))
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
