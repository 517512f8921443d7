internal import MasterKit
internal import Synchronization

/// How long a step may take, and what ends it then.
///
/// A command is ended by the worker, which says so in the log; all other work is cancelled.
final class StepDeadline: Sendable {
    /// A step took longer than it may.
    struct Passed: Error, CustomStringConvertible {
        let limit: Duration
        /// Whether the log of a command says so.
        let isToldByCommand: Bool

        var description: String { "ended after \(limit.inSeconds), its maxTime" }
    }

    private struct State {
        var commandCount = 0
        var isToldByCommand = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    /// What the time of a command is rounded up to, so that its log has the number of the file.
    private static let unit: Duration = .milliseconds(10)

    private let limit: Duration
    private let end: ContinuousClock.Instant
    private let state = Mutex(State())

    /// Begins to count.
    init(_ limit: Duration) {
        self.limit = limit
        end = .now + limit
    }

    /// Runs the work of a step and cancels it when its time is over.
    ///
    /// - Throws: ``Passed`` when the time was over first; else what the work throws.
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
                // The work ends in its own way after it was cancelled; only then is the step over.
                while await group.nextResult() != nil {}
                try Task.checkCancellation()
                throw Passed(
                    limit: limit, isToldByCommand: state.withLock { $0.isToldByCommand })
            }
            return results
        }
    }

    /// Runs a command with no more time than the step has left.
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
            state.withLock { $0.isToldByCommand = true }
        }
        return result
    }

    private var remaining: Duration {
        let left = max(.zero, end - .now)
        return min(limit, Self.unit * Int((left / Self.unit).rounded(.up)))
    }

    private func endCommand() {
        let waiter = state.withLock { state in
            state.commandCount -= 1
            guard state.commandCount == 0 else { return CheckedContinuation<Void, Never>?.none }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Waits until no command runs.
    private func waitForCommands() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.commandCount > 0 { state.waiter = continuation }
                return state.commandCount == 0
            }
            if isIdle { continuation.resume() }
        }
    }
}
