import FoundationEssentials
import Synchronization

/// Wakes tasks that wait for a change.
///
/// A signal raised while no task waits is remembered, once, for the next task that waits: if only
/// one task waits, it does not miss what happens between its check for work and its wait.
package final class Signal: Sendable {
    private struct State {
        var isRaised = false
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Wakes all waiting tasks, or else the next task that waits.
    package func raise() {
        let waiters = state.withLock { state in
            state.isRaised = state.waiters.isEmpty
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for the signal; returns immediately if the task is cancelled.
    package func wait() async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    let isOver = state.isRaised || Task.isCancelled
                    state.isRaised = state.isRaised && !isOver
                    if !isOver { state.waiters[id] = continuation }
                    return isOver
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume()
        }
    }

    /// Waits for the signal, at most until a given time if there is one.
    func wait(until moment: Duration?, on clock: ElapsedClock) async {
        guard let moment else { return await wait() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await clock.wait(until: moment) }
            group.addTask { await self.wait() }
            await group.next()
            group.cancelAll()
        }
    }
}

/// A value that is set once, and the tasks that wait for it.
package final class Latch<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [CheckedContinuation<Value, Never>] = []
    }

    private let state = Mutex(State())

    /// Creates a latch without a value.
    package init() {}

    /// Sets the value and wakes the waiting tasks; a second value is ignored.
    package func set(_ value: Value) {
        let waiters = state.withLock { state in
            guard state.value == nil else { return [CheckedContinuation<Value, Never>]() }
            state.value = value
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: value) }
    }

    /// Waits for the value, also if the task is cancelled.
    package func wait() async -> Value {
        await withCheckedContinuation { waiter in
            let value = state.withLock { state in
                if state.value == nil { state.waiters.append(waiter) }
                return state.value
            }
            if let value { waiter.resume(returning: value) }
        }
    }
}

extension Latch<Void> {
    package func set() { set(()) }
}

/// The time since a moment, independent of changes to the system clock.
struct ElapsedClock: Sendable {
    /// The time since that moment.
    var elapsed: Duration { read() }
    /// The current date: that of the moment and the time since then.
    var now: Date { opened.addingTimeInterval(elapsed / .seconds(1)) }

    private let opened: Date
    private let read: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// Starts counting with a clock, at a date.
    init(_ clock: some Clock<Duration>, opened: Date = Date()) {
        self.opened = opened
        let start = clock.now
        read = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(until: start.advanced(by: $0), tolerance: nil) }
    }

    /// Waits until a given time has elapsed; returns early if the task is cancelled.
    func wait(until moment: Duration) async {
        do {
            try await sleep(moment)
        } catch {
            // A clock throws only if the task is cancelled, which callers check themselves.
        }
    }
}
