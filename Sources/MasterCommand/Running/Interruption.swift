internal import Synchronization

/// What the user's signals mean to a run: the first stops it, the second hurries it, the third
/// ends the program.
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

    /// Notes a signal.
    ///
    /// - Returns: How many have come by now.
    func note(_ signal: StopSignal) -> Int {
        let (count, hurry) = state.withLock { state in
            state.signals.append(signal)
            if state.buildsAreOver { state.isHurried = true }
            return (state.signals.count, state.hurry)
        }
        hurry?()
        return count
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
