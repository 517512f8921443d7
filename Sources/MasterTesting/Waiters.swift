import Synchronization

/// Tasks that wait until a condition is met.
final class Waiters: Sendable {
    private struct Waiter {
        let isMet: @Sendable () -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private let state = Mutex((waiters: [Int: Waiter](), nextID: 0))

    /// Waits until the condition is met or the task is cancelled.
    ///
    /// - Parameter isMet: Called at once and by ``check()``, on any thread.
    func wait(until isMet: @escaping @Sendable () -> Bool) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock {
                    $0.waiters[id] = Waiter(isMet: isMet, continuation: continuation)
                }
                if isMet() || Task.isCancelled { resume(id) }
            }
        } onCancel: {
            resume(id)
        }
    }

    /// Resumes the tasks whose condition is met; called after each change that it may depend on,
    /// without a lock that a condition takes.
    func check() {
        let waiters = state.withLock(\.waiters)
        for (id, waiter) in waiters where waiter.isMet() { resume(id) }
    }

    private func resume(_ id: Int) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
        waiter?.continuation.resume()
    }
}
