internal import MasterKit
internal import Synchronization

/// The means to stop a running build: by a message, never by cancelling its runner.
///
/// Cancellation is sticky: a cancelled runner could run no alwaysRun step. So each step is a task
/// of its own, and only the one that runs is cancelled.
final class BuildControl: Sendable {
    private struct State {
        var reason: String?
        var stopCount = 0
        var running: (stopsNeeded: Int, cancel: @Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Why the build was stopped, `nil` while it may go on.
    var stopReason: String? { state.withLock { $0.reason } }

    /// Whether not even steps that always run may begin.
    var isAbandoned: Bool { state.withLock { $0.stopCount > 1 } }

    /// Stops the build; a second call also ends the steps that always run.
    func stop(_ reason: String) {
        let cancel = state.withLock { state in
            state.reason = state.reason ?? reason
            state.stopCount += 1
            return state.running.flatMap { $0.stopsNeeded <= state.stopCount ? $0.cancel : nil }
        }
        cancel?()
    }

    /// Runs a step's work in a task that ``stop(_:)`` cancels; one that always runs by the second.
    func run(
        alwaysRun: Bool, _ work: @escaping @Sendable () async -> StepOutcome
    ) async -> StepOutcome {
        // Not a child task: cancelling the runner must not reach it. It ends with its work, which
        // is awaited below.
        let task = Task { await work() }
        let stopsNeeded = alwaysRun ? 2 : 1
        let isStopped = state.withLock { state in
            state.running = (stopsNeeded, { task.cancel() })
            return state.stopCount >= stopsNeeded
        }
        if isStopped { task.cancel() }
        let outcome = await task.value
        state.withLock { $0.running = nil }
        return outcome
    }
}
