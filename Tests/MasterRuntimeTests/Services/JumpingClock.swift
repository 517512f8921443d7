import FoundationEssentials
import MasterKit
import Synchronization

@testable import MasterRuntime

/// A clock that jumps from one wait to the next, when the test says so.
final class JumpingClock: WallClock {
    private struct State {
        var now: Date
        var nextID = 0
        var sleepers: [Int: (deadline: Date, continuation: CheckedContinuation<Void, any Error>)] =
            [:]
        var cancelled: Set<Int> = []
    }

    private let state: Mutex<State>
    private let changed = Signal()

    init(_ start: Date) {
        state = Mutex(State(now: start))
    }

    var now: Date {
        get { state.withLock(\.now) }
        set { state.withLock { $0.now = newValue } }
    }

    func sleep(until moment: Date) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let end: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.contains(id) { return .failure(CancellationError()) }
                    if moment <= state.now { return .success(()) }
                    state.sleepers[id] = (moment, continuation)
                    return nil
                }
                if let end { continuation.resume(with: end) }
                changed.raise()
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled.insert(id)
                return state.sleepers.removeValue(forKey: id)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// The ends of all sleeps.
    var deadlines: [Date] { state.withLock { $0.sleepers.values.map(\.deadline) } }

    /// Waits until a number of tasks sleep.
    func waitForSleepers(_ count: Int) async {
        while state.withLock({ $0.sleepers.count < count }) { await changed.wait() }
    }

    /// Waits until a number of tasks sleep, and jumps to the end of the first sleep.
    ///
    /// - Returns: Whether that is before a time; if not, nothing is woken.
    func jump(before limit: Date, whenAsleep count: Int) async -> Bool {
        while true {
            await waitForSleepers(count)
            let ready = state.withLock { state -> [CheckedContinuation<Void, any Error>]? in
                // One may have ended meanwhile, as when an event comes first.
                guard state.sleepers.count >= count else { return nil }
                let first = state.sleepers.values.map(\.deadline).min() ?? limit
                guard first < limit else { return [] }
                state.now = first
                let ids = state.sleepers.filter { $0.value.deadline <= first }.map(\.key)
                return ids.compactMap { state.sleepers.removeValue(forKey: $0)?.continuation }
            }
            guard let ready else { continue }
            for continuation in ready { continuation.resume() }
            return !ready.isEmpty
        }
    }
}
