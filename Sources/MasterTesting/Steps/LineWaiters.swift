import Synchronization

/// Tasks that wait for lines of logs.
final class LineWaiters: Sendable {
    private struct Waiter {
        let line: String
        let log: String
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var waiters: [Int: Waiter] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// Waits until a line is there; returns as well when the task is cancelled.
    func wait(for line: String, in log: String, isThere: @Sendable () -> Bool) async {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    state.waiters[id] = Waiter(line: line, log: log, continuation: continuation)
                }
                if isThere() || Task.isCancelled { resume(id) }
            }
        } onCancel: {
            resume(id)
        }
    }

    /// Lets those go on whose line is there.
    func check(_ isThere: (_ line: String, _ log: String) -> Bool) {
        let waiters = state.withLock { $0.waiters }
        for (id, waiter) in waiters where isThere(waiter.line, waiter.log) { resume(id) }
    }

    private func resume(_ id: Int) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
        waiter?.continuation.resume()
    }
}
