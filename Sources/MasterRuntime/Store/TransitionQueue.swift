internal import DequeModule
internal import Dispatch
internal import Synchronization

/// The bounded queue in front of the writer.
///
/// Behind the bound a transition waits together with its caller, so that the order in which
/// transitions came is kept.
final class TransitionQueue: Sendable {
    /// How many transitions wait before their callers do.
    static let bound = 4096
    /// How many transitions share a commit at most.
    static let batchCount = 256

    private typealias Admission = CheckedContinuation<Void, Never>

    private struct State {
        var waiting: Deque<(transition: Transition, admission: Admission?)> = []
        var isWriterAsleep = false
        var end: StoreError?
    }

    private let state = Mutex(State())
    private let wakeUp = DispatchSemaphore(value: 0)

    /// Adds a transition whose caller waits for its outcome anyway.
    func append(_ transition: Transition) {
        insert(transition, admission: nil)
    }

    /// Adds a transition; returns when it is within the bound.
    func post(_ transition: Transition) async {
        await withCheckedContinuation { admission in
            insert(transition, admission: admission)
        }
    }

    /// How many transitions wait.
    var count: Int { state.withLock(\.waiting.count) }

    /// Takes what waits, at most a batch, in order.
    ///
    /// Blocks the writer's thread while there is nothing; empty when the time is over or the
    /// queue has been closed and is empty.
    func takeBatch(waitingUntil deadline: DispatchTime) -> [Transition] {
        while true {
            let (batch, admitted, isOver) = take()
            for admission in admitted { admission.resume() }
            guard batch.isEmpty, !isOver else { return batch }
            guard wakeUp.wait(timeout: deadline) == .success else { return wakeUpLate() }
        }
    }

    /// Whether nothing waits and nothing will come.
    var isOver: Bool {
        state.withLock { $0.end != nil && $0.waiting.isEmpty }
    }

    /// Refuses what comes from now on; what waits is still carried out.
    func close(with end: StoreError) {
        let isAsleep = state.withLock { state in
            if state.end == nil { state.end = end }
            defer { state.isWriterAsleep = false }
            return state.isWriterAsleep
        }
        if isAsleep { wakeUp.signal() }
    }

    /// Refuses what waits and what comes from now on.
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

    /// Settles a wake-up that came at the same moment as the deadline.
    private func wakeUpLate() -> [Transition] {
        let wasAsleep = state.withLock { state in
            defer { state.isWriterAsleep = false }
            return state.isWriterAsleep
        }
        if !wasAsleep { wakeUp.wait() }
        return []
    }
}
