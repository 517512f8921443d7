import MasterKit

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
        let timer = limit.map { limit in
            Task {
                await clock.wait(until: clock.elapsed + limit)
                guard !Task.isCancelled else { return }
                call.cancel()
                answer.set(.failure(Overdue(limit: limit)))
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
                answer.set(.failure(CancellationError()))
            }
        }
    }
}
