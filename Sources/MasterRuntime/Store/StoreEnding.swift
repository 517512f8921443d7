internal import Synchronization

/// How the writer ended, and who waits for it.
final class StoreEnding: Sendable {
    private typealias Waiter = CheckedContinuation<Void, Never>

    private struct State {
        var failure: StoreError?
        var isFinished = false
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    /// The first failure.
    var failure: StoreError? { state.withLock(\.failure) }

    /// Notes a failure; the first one counts.
    func fail(_ error: StoreError) {
        state.withLock { state in
            if state.failure == nil { state.failure = error }
        }
    }

    /// Tells those who wait that nothing more is written.
    func finish() {
        let waiters = state.withLock { state in
            state.isFinished = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until nothing more is written.
    func wait() async {
        await withCheckedContinuation { waiter in
            let isFinished = state.withLock { state in
                if !state.isFinished { state.waiters.append(waiter) }
                return state.isFinished
            }
            if isFinished { waiter.resume() }
        }
    }
}
