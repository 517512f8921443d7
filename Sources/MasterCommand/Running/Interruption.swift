internal import Synchronization

/// What the user's signals mean to a run: the first stops it, the second hurries it, the third, or
/// the second TERM, ends the program.
final class Interruption: Sendable {
    private struct State {
        var signals: [StopSignal] = []
        var buildsAreOver = false
        var isHurried = false
        var hurry: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// The first signal that came; `nil` while none has.
    var signal: StopSignal? { state.withLock { $0.signals.first } }

    /// Whether no build is left that a signal could stop.
    var buildsAreOver: Bool { state.withLock { $0.buildsAreOver } }

    /// Notes that from now on a signal is about what comes after the builds.
    func noteEndOfBuilds() {
        state.withLock { $0.buildsAreOver = true }
    }

    /// What is to be done about a signal.
    enum Demand {
        /// Stop the builds, but for steps that always run.
        case stop
        /// Stop these, too.
        case stopEverything
        /// Wait no longer for reports.
        case hurry
        /// End the program at once.
        case end
    }

    /// Notes a signal.
    func note(_ signal: StopSignal) -> Demand {
        let (demand, hurry) = state.withLock { state in
            state.signals.append(signal)
            let terminations = state.signals.count { $0 == .terminate }
            if state.signals.count > 2 || terminations > 1 { return (Demand.end, state.hurry) }
            if state.buildsAreOver {
                state.isHurried = true
                return (.hurry, state.hurry)
            }
            return (state.signals.count > 1 ? .stopEverything : .stop, nil)
        }
        if case .hurry = demand { hurry?() }
        return demand
    }

    /// Runs a body in a task that a signal after the end of the builds cancels.
    func runUntilHurried<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        // Not a child task, because a signal is to cancel it alone. It is awaited below.
        let task = Task { try await body() }
        let isHurried = state.withLock { state in
            state.hurry = { task.cancel() }
            return state.isHurried
        }
        if isHurried { task.cancel() }
        defer { state.withLock { $0.hurry = nil } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
