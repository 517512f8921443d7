internal import Synchronization

/// The bounded buffer between the bus and one reader.
final class EventBuffer: Sendable {
    private typealias Waiter = CheckedContinuation<EventBus.Delivery?, Never>

    private struct State {
        var deliveries: [EventBus.Delivery] = []
        var head = 0
        var missed = 0
        var waiters: [(id: Int, continuation: Waiter)] = []
        var cancelled: Set<Int> = []
        var nextWaiter = 0
        var isFinished = false

        var count: Int { deliveries.count - head }

        mutating func append(_ event: Event, bound: Int) {
            guard count < bound else {
                missed += 1
                return
            }
            if missed > 0 {
                deliveries.append(.missed(missed))
                missed = 0
            }
            deliveries.append(.event(event))
        }

        mutating func take() -> EventBus.Delivery? {
            guard head < deliveries.count else {
                guard missed > 0 else { return nil }
                defer { missed = 0 }
                return .missed(missed)
            }
            let delivery = deliveries[head]
            head += 1
            if head == deliveries.count || head >= 256 {
                deliveries.removeFirst(head)
                head = 0
            }
            return delivery
        }
    }

    let kinds: Set<EventKind>
    private let bound: Int
    private let state = Mutex(State())

    init(kinds: Set<EventKind>, bound: Int) {
        self.kinds = kinds
        self.bound = max(1, bound)
    }

    /// Adds an event, or counts it as missed when the buffer is full.
    func append(_ event: Event) {
        let waiter: Waiter? = state.withLock { state in
            guard !state.isFinished else { return nil }
            guard state.waiters.isEmpty else { return state.waiters.removeFirst().continuation }
            state.append(event, bound: bound)
            return nil
        }
        waiter?.resume(returning: .event(event))
    }

    /// Lets the reader come to an end after what is there.
    func finish() {
        let waiters = state.withLock { state in
            state.isFinished = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: nil) }
    }

    /// Waits for the next delivery; `nil` at the end or when the task is cancelled.
    func next() async -> EventBus.Delivery? {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(id, continuation)
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func wait(_ id: Int, _ continuation: Waiter) {
        let answer: EventBus.Delivery?? = state.withLock { state in
            if state.cancelled.remove(id) != nil { return .some(nil) }
            if let delivery = state.take() { return delivery }
            if state.isFinished { return .some(nil) }
            state.waiters.append((id, continuation))
            return .none
        }
        if let answer { continuation.resume(returning: answer) }
    }

    private func cancel(_ id: Int) {
        let waiter: Waiter? = state.withLock { state in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return nil
            }
            return state.waiters.remove(at: index).continuation
        }
        waiter?.resume(returning: nil)
    }
}
