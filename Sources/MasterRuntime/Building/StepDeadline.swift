internal import MasterKit
internal import Synchronization

/// Enforces the time limit of a step.
///
/// A command is terminated by the worker, which notes that in the log; all other work is cancelled.
final class StepDeadline: Sendable {
    /// A step exceeded its time limit.
    struct Passed: Error, CustomStringConvertible {
        let limit: Duration
        /// Whether the log of a command already says so.
        let isEnforcedByCommand: Bool

        var description: String { "ended after \(limit.inSeconds), its maxTime" }
    }

    private struct State {
        var commandCount = 0
        var isEnforcedByCommand = false
        var isOver = false
    }

    /// The granularity to which a command's limit is rounded up, so that its log shows the
    /// configured number.
    private static let unit: Duration = .milliseconds(10)

    private let limit: Duration
    private let end: ContinuousClock.Instant
    private let state = Mutex(State())
    /// Set once the time is up and no command is running.
    private let isIdle = Latch<Void>()

    /// Starts the time limit.
    init(_ limit: Duration) {
        self.limit = limit
        end = .now + limit
    }

    /// Runs the work of a step and cancels it when the time is up.
    ///
    /// - Throws: ``Passed`` if the time ran out first, otherwise what the work throws.
    func run(_ work: @escaping @Sendable () async throws -> Results) async throws -> Results {
        try await withThrowingTaskGroup(of: Results?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(until: self.end, clock: .continuous)
                await self.waitForCommands()
                return nil
            }
            defer { group.cancelAll() }
            let first = try await group.next() ?? nil
            guard let results = first else {
                group.cancelAll()
                // Cancelled work may take a while to finish; the step ends only after that.
                while await group.nextResult() != nil {}
                try Task.checkCancellation()
                throw Passed(
                    limit: limit, isEnforcedByCommand: state.withLock { $0.isEnforcedByCommand })
            }
            return results
        }
    }

    /// Runs a command with at most the step's remaining time.
    func run(
        _ shell: Command.Shell, _ body: (Command.Shell) async throws -> CommandResult
    ) async throws -> CommandResult {
        var shell = shell
        let remaining = remaining
        let isOurs = shell.maxTime.map { remaining < $0 } ?? true
        if isOurs { shell.maxTime = remaining }
        state.withLock { $0.commandCount += 1 }
        defer { endCommand() }
        let result = try await body(shell)
        if isOurs, case .total? = result.timedOut {
            state.withLock { $0.isEnforcedByCommand = true }
        }
        return result
    }

    private var remaining: Duration {
        let left = max(.zero, end - .now)
        return min(limit, Self.unit * Int((left / Self.unit).rounded(.up)))
    }

    private func endCommand() {
        let isIdle = state.withLock { state in
            state.commandCount -= 1
            return state.commandCount == 0 && state.isOver
        }
        if isIdle { self.isIdle.set() }
    }

    /// Waits until no command is running.
    private func waitForCommands() async {
        let isIdle = state.withLock { state in
            state.isOver = true
            return state.commandCount == 0
        }
        if isIdle { self.isIdle.set() }
        await self.isIdle.wait()
    }
}
