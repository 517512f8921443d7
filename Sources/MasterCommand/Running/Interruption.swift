internal import Synchronization

/// How a run reacts to signals: the first stops it, the second hurries it, and the third, or the
/// second TERM that is no echo, ends the program.
final class Interruption: Sendable {
    private struct State {
        var signals: [StopSignal] = []
        var echo = SignalEcho()
        var hasEndOfBuilds = false
        var isHurried = false
        var hurry: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// The first signal received, or `nil` if none.
    var signal: StopSignal? { state.withLock { $0.signals.first } }

    /// Whether all builds have ended, so that signals apply to what follows.
    var hasEndOfBuilds: Bool { state.withLock { $0.hasEndOfBuilds } }

    /// Records that all builds have ended.
    func noteEndOfBuilds() {
        state.withLock { $0.hasEndOfBuilds = true }
    }

    /// The reaction to a signal.
    enum Demand {
        /// Stop the builds, except for steps that always run.
        case stop
        /// Stop these steps, too.
        case stopEverything
        /// Stop waiting for reports.
        case hurry
        /// End the program immediately.
        case end
    }

    /// Records a signal and returns the reaction, or `nil` if it repeats the one just before.
    func note(_ signal: StopSignal, at moment: ContinuousClock.Instant = .now) -> Demand? {
        let (demand, hurry) = state.withLock { state -> (Demand?, (@Sendable () -> Void)?) in
            guard !state.echo.repeats(signal, at: moment) else { return (nil, nil) }
            state.signals.append(signal)
            let terminations = state.signals.count { $0 == .terminate }
            if state.signals.count > 2 || terminations > 1 { return (Demand.end, state.hurry) }
            if state.hasEndOfBuilds {
                state.isHurried = true
                return (.hurry, state.hurry)
            }
            return (state.signals.count > 1 ? .stopEverything : .stop, nil)
        }
        if case .hurry = demand { hurry?() }
        return demand
    }

    /// Runs a closure in a task that is cancelled by a signal after the end of the builds.
    func runUntilHurried<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        // Not a child task, because a signal cancels only this one. It is awaited below.
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
