/// A machine, or an environment on one, that runs the commands of steps.
///
/// A step reaches the machine only through this protocol, so that a remote worker can replace the
/// local one. Paths in commands are strings that the worker resolves: relative ones against its own
/// folder.
///
/// A worker runs any number of commands concurrently. The master counts slots, not the worker.
public protocol Worker: Sendable {
    /// The worker's name in builds, records and messages.
    var name: String { get }

    /// Whether the programs of the worker run on the master's machine, in its network.
    var isLocal: Bool { get }

    /// Runs a command until it ends.
    ///
    /// - Order: `updates` is called for one update after the other, never concurrently, in the
    ///   caller's task, and never after this function has returned. Bytes of one stream arrive in
    ///   order; between stdout and stderr the order is that in which they were read.
    /// - Back-pressure: while `updates` is awaited, at most a few hundred kilobytes are read ahead;
    ///   then the command blocks on its full pipe. That time does not count as silence.
    /// - Cancellation: cancelling the calling task ends all processes of the command; the function
    ///   throws `CancellationError` after they have exited. Updates continue until then.
    /// - Errors thrown by `updates` or `input` end the command the same way and are rethrown.
    /// - A command that ends with a nonzero exit code, by a signal or by a time limit is a result,
    ///   not an error.
    ///
    /// - Parameters:
    ///   - command: What to run.
    ///   - input: The bytes for `downloadFile`; other commands do not read it.
    ///   - updates: Receives the output of the command while it runs.
    /// - Returns: How the command ended, and the value of a file command.
    /// - Throws: `CommandError` if the command could not be run or a file command failed;
    ///   `WorkerLost` if the worker was lost, however the command ended; `CancellationError`.
    func run(
        _ command: Command, input: CommandInput,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult

    /// Kills all commands without waiting; the master exits right afterwards.
    func abandonCommands()
}

extension Worker {
    /// False.
    public var isLocal: Bool { false }

    /// Does nothing: the worker detects the end of the master itself.
    public func abandonCommands() {}

    /// Runs a command that needs no input.
    ///
    /// - Parameters:
    ///   - command: What to run.
    ///   - updates: Receives the output of the command while it runs.
    /// - Returns: How the command ended, and the value of a file command.
    /// - Throws: As ``run(_:input:updates:)`` does.
    public func run(
        _ command: Command,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        try await run(command, input: .nothing, updates: updates)
    }
}

/// The worker was lost; the build ends with the result retry, however the command ended.
public struct WorkerLost: Error, Sendable, CustomStringConvertible {
    /// The name of the worker.
    public var worker: String

    /// What is known about the loss.
    public var reason: String

    /// Creates the error.
    ///
    /// - Parameters:
    ///   - worker: The name of the worker.
    ///   - reason: What is known about the loss.
    public init(worker: String, reason: String) {
        self.worker = worker
        self.reason = reason
    }

    /// The loss, in one sentence.
    public var description: String { "worker \(worker) is lost: \(reason)" }
}
