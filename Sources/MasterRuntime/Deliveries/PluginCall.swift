import Synchronization

/// A call into a plugin that can be left behind.
///
/// Cancelling reaches the plugin at once. One that does not heed it is waited for no longer than a
/// moment, so that it cannot keep the program from ending.
enum PluginCall {
    /// How long a plugin has to come to an end after it was cancelled.
    static let grace: Duration = .milliseconds(500)

    private final class Answer<Value: Sendable>: Sendable {
        private struct State {
            var result: Result<Value, any Error>?
            var waiter: CheckedContinuation<Value, any Error>?
        }

        private let state = Mutex(State())

        /// Gives the first result to who waits for it.
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

    /// Calls a plugin and gives what it returns or throws.
    ///
    /// - Throws: What the plugin throws, or `CancellationError` when it was left behind.
    static func run<Value: Sendable>(
        on clock: DeliveryClock,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let answer = Answer<Value>()
        // Ends with the plugin's function, which alone decides when that is once it was cancelled.
        let call = Task {
            do {
                answer.give(.success(try await body()))
            } catch {
                answer.give(.failure(error))
            }
        }
        return try await withTaskCancellationHandler {
            try await answer.wait()
        } onCancel: {
            call.cancel()
            // Ends by itself when the grace is over.
            Task {
                await clock.wait(until: clock.elapsed + grace)
                answer.give(.failure(CancellationError()))
            }
        }
    }
}
