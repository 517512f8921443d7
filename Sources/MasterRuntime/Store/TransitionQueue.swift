internal import DequeModule
internal import Dispatch
internal import Synchronization

/// The writer's bounded queue.
///
/// Transitions beyond the bound are queued along with their suspended callers, which preserves the
/// order of arrival.
final class TransitionQueue: Sendable {
    /// The number of queued transitions from which on posting callers are suspended.
    static let bound = 4096
    /// The maximum number of transitions per commit.
    static let batchCount = 256

    private typealias Admission = CheckedContinuation<Void, Never>

    private struct State {
        var waiting: Deque<(transition: Transition, admission: Admission?)> = []
        var isWriterAsleep = false
        var end: StoreError?
    }

    private let state = Mutex(State())
    private let wakeUp = DispatchSemaphore(value: 0)

    /// Adds a transition whose caller awaits its outcome in any case.
    func append(_ transition: Transition) {
        insert(transition, admission: nil)
    }

    /// Adds a transition; returns once it is within the bound.
    func post(_ transition: Transition) async {
        await withCheckedContinuation { admission in
            insert(transition, admission: admission)
        }
    }

    /// The number of queued transitions.
    var count: Int { state.withLock(\.waiting.count) }

    /// Takes queued transitions in order, at most one batch.
    ///
    /// Blocks the writer's thread while the queue is empty. Returns an empty batch at the deadline,
    /// or if the queue is closed and empty.
    func takeBatch(waitingUntil deadline: DispatchTime) -> [Transition] {
        while true {
            let (batch, admitted, isOver) = take()
            for admission in admitted { admission.resume() }
            guard batch.isEmpty, !isOver else { return batch }
            guard wakeUp.wait(timeout: deadline) == .success else { return wakeUpLate() }
        }
    }

    /// Whether the queue is closed and empty.
    var isOver: Bool {
        state.withLock { $0.end != nil && $0.waiting.isEmpty }
    }

    /// Rejects new transitions; those in the queue still run.
    func close(with end: StoreError) {
        let isAsleep = state.withLock { state in
            if state.end == nil { state.end = end }
            defer { state.isWriterAsleep = false }
            return state.isWriterAsleep
        }
        if isAsleep { wakeUp.signal() }
    }

    /// Rejects both queued and new transitions.
    func stop(with error: StoreError) {
        let waiting = state.withLock { state in
            state.end = error
            defer { state.waiting = [] }
            return state.waiting
        }
        for (transition, admission) in waiting {
            transition.fail(error)
            admission?.resume()
        }
    }

    private func insert(_ transition: Transition, admission: Admission?) {
        let (end, admitted, isAsleep): (StoreError?, Admission?, Bool) = state.withLock { state in
            if let end = state.end { return (end, admission, false) }
            let isWithin = state.waiting.count < Self.bound
            state.waiting.append((transition, isWithin ? nil : admission))
            defer { state.isWriterAsleep = false }
            return (nil, isWithin ? admission : nil, state.isWriterAsleep)
        }
        if let end { transition.fail(end) }
        admitted?.resume()
        if isAsleep { wakeUp.signal() }
    }

    private func take() -> (batch: [Transition], admitted: [Admission], isOver: Bool) {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isWriterAsleep = state.end == nil
                return ([], [], state.end != nil)
            }
            let count = min(state.waiting.count, Self.batchCount)
            let batch = state.waiting.prefix(count).map(\.transition)
            let admitted = state.waiting.indices.dropFirst(Self.bound).prefix(count)
                .compactMap { state.waiting[$0].admission }
            for index in state.waiting.indices.dropFirst(Self.bound).prefix(count) {
                state.waiting[index].admission = nil
            }
            state.waiting.removeFirst(count)
            return (batch, admitted, false)
        }
    }

    /// Consumes a wake-up that arrived at the same moment as the deadline.
    private func wakeUpLate() -> [Transition] {
        let wasAsleep = state.withLock { state in
            defer { state.isWriterAsleep = false }
            return state.isWriterAsleep
        }
        if !wasAsleep { wakeUp.wait() }
        return []
    }
}
