import MasterKit
import Synchronization

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

    /// How long a cancelled plugin may take to return.
    static let grace: Duration = .milliseconds(500)

    private final class Answer<Value: Sendable>: Sendable {
        private struct State {
            var result: Result<Value, any Error>?
            var waiter: CheckedContinuation<Value, any Error>?
        }

        private let state = Mutex(State())

        /// Resumes the waiting caller with the first result.
        func give(_ result: Result<Value, any Error>) {
            let waiter = state.withLock { state -> CheckedContinuation<Value, any Error>? in
                guard state.result == nil else { return nil }
                state.result = result
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(with: result)
        }

        func wait() async throws -> Value {
            try await withCheckedThrowingContinuation { waiter in
                let result = state.withLock { state in
                    if state.result == nil { state.waiter = waiter }
                    return state.result
                }
                if let result { waiter.resume(with: result) }
            }
        }
    }

    /// Calls a plugin and returns its result.
    ///
    /// - Parameters:
    ///   - clock: The clock.
    ///   - limit: The time limit, after which the call is cancelled and abandoned.
    ///   - body: Calls the plugin.
    /// - Returns: The plugin's result.
    /// - Throws: Any error thrown by the plugin, ``Overdue``, or `CancellationError` if the call
    ///   was abandoned.
    static func run<Value: Sendable>(
        on clock: ElapsedClock, within limit: Duration? = nil,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let answer = Answer<Value>()
        // Ends with the plugin's function, which decides when to return after cancellation.
        let call = Task {
            do {
                answer.give(.success(try await body()))
            } catch {
                answer.give(.failure(error))
            }
        }
        // Ends with the call.
        let timer = limit.map { limit in
            Task {
                await clock.wait(until: clock.elapsed + limit)
                guard !Task.isCancelled else { return }
                call.cancel()
                answer.give(.failure(Overdue(limit: limit)))
            }
        }
        defer { timer?.cancel() }
        return try await withTaskCancellationHandler {
            try await answer.wait()
        } onCancel: {
            call.cancel()
            // Ends by itself after the grace period.
            Task {
                await clock.wait(until: clock.elapsed + grace)
                answer.give(.failure(CancellationError()))
            }
        }
    }
}
