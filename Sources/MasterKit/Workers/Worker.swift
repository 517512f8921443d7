/// A machine, or a place on one, that runs the commands of steps.
///
/// A step reaches the machine only through this protocol, so that a remote worker fits where the
/// local one does. Paths in commands are text that the worker resolves: relative ones against a
/// folder of its own.
///
/// A worker runs any number of commands side by side; they do not wait for each other. The master
/// counts slots, not the worker.
public protocol Worker: Sendable {
    /// The name by which builds, records and messages know this worker.
    var name: String { get }

    /// Runs one command to its end.
    ///
    /// - Order: `updates` is called one update after the other, never twice at once, in the task of
    ///   the caller, and never after this function has returned. Bytes of one stream come in their
    ///   order; between stdout and stderr the order is that in which they were read.
    /// - Back-pressure: while `updates` is awaited, at most a few hundred kilobytes are read ahead;
    ///   then the command waits at its full pipe. That time does not count as silence.
    /// - Cancellation: cancelling the calling task ends all processes of the command; the function
    ///   throws `CancellationError` after they are gone. Updates go on until then.
    /// - Errors thrown by `updates` or `input` end the command the same way and are thrown on.
    /// - A command that ends with a code other than zero, by a signal or by a time limit is a
    ///   result, not an error.
    ///
    /// - Parameters:
    ///   - command: What to run.
    ///   - input: The bytes that `downloadFile` writes; no other command calls it.
    ///   - updates: Receives the output of the command while it runs.
    /// - Returns: How the command ended, and the value it was asked for.
    /// - Throws: `CommandError` when the command could not be run or a file command failed;
    ///   `WorkerLost` when the worker is gone, whatever the command did; `CancellationError`.
    func run(
        _ command: Command, input: CommandInput,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult

    /// Kills all commands without waiting; the master exits right after.
    func abandonCommands()
}

extension Worker {
    /// Does nothing: the worker notices the master's end by itself.
    public func abandonCommands() {}

    /// Runs a command that takes nothing from the master.
    ///
    /// - Parameters:
    ///   - command: What to run.
    ///   - updates: Receives the output of the command while it runs.
    /// - Returns: How the command ended, and the value it was asked for.
    /// - Throws: As ``run(_:input:updates:)`` does.
    public func run(
        _ command: Command,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        try await run(command, input: .nothing, updates: updates)
    }
}

/// Thrown when the worker itself is gone; the build ends as retry, whatever the command did.
public struct WorkerLost: Error, Sendable, CustomStringConvertible {
    /// The name of the worker.
    public var worker: String

    /// What is known of the loss, in words.
    public var reason: String

    /// Makes the error.
    ///
    /// - Parameters:
    ///   - worker: The name of the worker.
    ///   - reason: What is known of the loss.
    public init(worker: String, reason: String) {
        self.worker = worker
        self.reason = reason
    }

    /// The loss in one sentence.
    public var description: String { "worker \(worker) is lost: \(reason)" }
}
