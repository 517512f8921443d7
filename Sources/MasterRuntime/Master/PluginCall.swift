internal import MasterKit
internal import Synchronization

/// A call to a plugin that can be abandoned.
///
/// Cancellation reaches the plugin immediately. A plugin that ignores it is abandoned after a short
/// time, so that it cannot keep the program from exiting.
enum PluginCall {
    /// A plugin exceeded its time limit.
    struct Overdue: Error, CustomStringConvertible {
        let limit: Duration

        var description: String { "it took longer than \(limit.inSeconds)" }
    }

    /// A plugin did not return when it was cancelled.
    struct Abandoned: Error {}

    /// How long a cancelled plugin may take to return.
    static let grace: Duration = .milliseconds(500)

    /// Calls a plugin and returns its result.
    ///
    /// - Parameters:
    ///   - clock: The clock.
    ///   - overdue: Waits until the call must be abandoned and returns the error; `nil` if the wait
    ///     was cancelled.
    ///   - body: Calls the plugin.
    /// - Returns: The plugin's result.
    /// - Throws: Any error thrown by the plugin, ``Overdue``, or ``Abandoned`` if it did not
    ///   return when it was cancelled.
    static func run<Value: Sendable>(
        on clock: ElapsedClock, unless overdue: (@Sendable () async -> Overdue?)? = nil,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let answer = Latch<Result<Value, any Error>>()
        // Ends with the plugin's function, which decides when to return after cancellation.
        let call = Task {
            do {
                answer.set(.success(try await body()))
            } catch {
                answer.set(.failure(error))
            }
        }
        // Ends with the call.
        let timer = overdue.map { overdue in
            Task {
                guard let error = await overdue() else { return }
                call.cancel()
                answer.set(.failure(error))
            }
        }
        defer { timer?.cancel() }
        return try await withTaskCancellationHandler {
            try await answer.wait().get()
        } onCancel: {
            call.cancel()
            // Ends by itself after the grace period.
            Task {
                await clock.wait(until: clock.elapsed + grace)
                answer.set(.failure(Abandoned()))
            }
        }
    }

    /// Calls plugins one after another, each within a time limit.
    ///
    /// - Parameters:
    ///   - plugins: The plugins.
    ///   - clock: The clock.
    ///   - limit: The time limit of each, after which its call is cancelled and abandoned.
    ///   - body: Calls one of them.
    /// - Returns: The index and the error of the first one that failed, after which no other was
    ///   called, or `nil`.
    static func each<Plugin: Sendable>(
        _ plugins: [Plugin], on clock: ElapsedClock, within limit: Duration,
        _ body: @escaping @Sendable (Plugin) async throws -> Void
    ) async -> (index: Int, error: any Error)? {
        let turns = Turns(clock, limit)
        do {
            try await run(on: clock, unless: turns.waitUntilOverdue) {
                for plugin in plugins where turns.begin() { try await body(plugin) }
            }
            return nil
        } catch {
            return (turns.end(), error)
        }
    }
}

/// Whose turn it is among plugins that are called one after another, and until when.
private final class Turns: Sendable {
    private struct State {
        /// The number of plugins whose turn has begun.
        var begun = 0
        var deadline: Duration
        var hasEnded = false
    }

    private let clock: ElapsedClock
    private let limit: Duration
    private let state: Mutex<State>

    init(_ clock: ElapsedClock, _ limit: Duration) {
        self.clock = clock
        self.limit = limit
        state = Mutex(State(deadline: clock.elapsed + limit))
    }

    /// Begins the turn of the next plugin, unless the calls were abandoned.
    func begin() -> Bool {
        let deadline = clock.elapsed + limit
        return state.withLock { state in
            guard !state.hasEnded else { return false }
            state.begun += 1
            state.deadline = deadline
            return true
        }
    }

    /// Ensures that no further turn begins.
    ///
    /// - Returns: The index of the plugin whose turn was the last.
    func end() -> Int {
        state.withLock { state in
            state.hasEnded = true
            return max(0, state.begun - 1)
        }
    }

    /// Waits until a plugin exceeds its limit, and ends the turns.
    ///
    /// - Returns: The error, or `nil` if the task was cancelled.
    func waitUntilOverdue() async -> PluginCall.Overdue? {
        while !Task.isCancelled {
            let now = clock.elapsed
            let deadline = state.withLock { state in
                if state.deadline <= now { state.hasEnded = true }
                return state.deadline
            }
            if deadline <= now { return PluginCall.Overdue(limit: limit) }
            await clock.wait(until: deadline)
        }
        return nil
    }
}
