internal import Synchronization

/// Hands committed events to live readers.
///
/// Publishing never waits: each reader has a bounded buffer, and one that is slower than the
/// events come is told how many it missed, at the place where they are missing.
package final class EventBus: Sendable {
    private struct State {
        var buffers: [EventBuffer] = []
        var wantedKinds: Set<EventKind> = []
        var isFinished = false
    }

    private let state = Mutex(State())

    /// Makes a bus without readers.
    package init() {}

    /// The kinds that somebody reads at this moment.
    package var wantedKinds: Set<EventKind> {
        state.withLock(\.wantedKinds)
    }

    /// Whether somebody reads a kind at this moment.
    package func isWanted(_ kind: EventKind) -> Bool {
        state.withLock { $0.wantedKinds.contains(kind) }
    }

    /// Runs a body with the events of some kinds that are published from now on.
    ///
    /// The sequence ends when the bus does, or when the task that reads it is cancelled.
    /// - Parameters:
    ///   - kinds: What the reader wants; other events cost it nothing.
    ///   - bound: How many events are kept for a reader that is behind, at least 1.
    ///   - body: Reads the subscription, which ends with it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    package func withSubscription<Value, Failure: Error>(
        to kinds: Set<EventKind>, bound: Int,
        _ body: (EventSubscription) async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let events = subscribe(to: kinds, bound: bound)
        defer { unsubscribe(events) }
        return try await body(events)
    }

    /// Begins a subscription, which lasts until `unsubscribe`.
    package func subscribe(to kinds: Set<EventKind>, bound: Int) -> EventSubscription {
        let buffer = EventBuffer(kinds: kinds, bound: bound)
        let isFinished = state.withLock { state in
            state.buffers.append(buffer)
            state.wantedKinds.formUnion(buffer.kinds)
            return state.isFinished
        }
        if isFinished { buffer.finish() }
        return EventSubscription(buffer: buffer)
    }

    /// Ends a subscription.
    package func unsubscribe(_ events: EventSubscription) {
        state.withLock { state in
            state.buffers.removeAll { $0 === events.buffer }
            state.wantedKinds = state.buffers.reduce(into: []) { $0.formUnion($1.kinds) }
        }
        events.finish()
    }

    /// Hands events to their readers, in order; returns at once.
    package func publish(_ events: some Sequence<Event>) {
        let buffers = state.withLock(\.buffers)
        guard !buffers.isEmpty else { return }
        for event in events {
            for buffer in buffers where buffer.kinds.contains(event.kind) {
                buffer.append(event)
            }
        }
    }

    /// Hands one event to its readers; returns at once.
    package func publish(_ event: Event) {
        publish(CollectionOfOne(event))
    }

    /// Ends all subscriptions, present and future ones, once they have been read to their end.
    package func finish() {
        let buffers = state.withLock { state in
            state.isFinished = true
            return state.buffers
        }
        for buffer in buffers { buffer.finish() }
    }
}

/// A sequence of events, live, in the order in which the store has committed them.
public struct EventSubscription: AsyncSequence, Sendable {
    /// An event, or how many are missing.
    public enum Element: Sendable, Hashable {
        /// Something happened.
        case event(Event)
        /// So many events came while the reader's buffer was full; they are lost for this reader.
        case missed(Int)
    }
    /// Reading does not fail.
    public typealias Failure = Never

    /// Takes one notice after the other out of the reader's buffer.
    public struct Iterator: AsyncIteratorProtocol {
        let buffer: EventBuffer

        /// Waits for the next notice; `nil` at the end or when the task is cancelled.
        public mutating func next() async -> EventSubscription.Element? {
            await buffer.next()
        }

        /// Waits for the next notice; `nil` at the end or when the task is cancelled.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async -> EventSubscription.Element? {
            await buffer.next()
        }
    }

    let buffer: EventBuffer

    /// The kinds of events that the reader gets.
    package var kinds: Set<EventKind> { buffer.kinds }

    /// Ends the sequence after what has been published.
    package func finish() {
        buffer.finish()
    }

    /// Begins to read; what several iterators take is divided among them.
    public func makeAsyncIterator() -> Iterator {
        Iterator(buffer: buffer)
    }
}

/// The bounded buffer between the bus and one reader.
final class EventBuffer: Sendable {
    private typealias Waiter = CheckedContinuation<EventSubscription.Element?, Never>

    private struct State {
        var notices: [EventSubscription.Element] = []
        var head = 0
        var missed = 0
        var waiters: [(id: Int, continuation: Waiter)] = []
        var cancelled: Set<Int> = []
        var nextWaiter = 0
        var isFinished = false

        var count: Int { notices.count - head }

        mutating func append(_ event: Event, bound: Int) {
            guard count < bound else {
                missed += 1
                return
            }
            if missed > 0 {
                notices.append(.missed(missed))
                missed = 0
            }
            notices.append(.event(event))
        }

        mutating func take() -> EventSubscription.Element? {
            guard head < notices.count else {
                guard missed > 0 else { return nil }
                defer { missed = 0 }
                return .missed(missed)
            }
            let notice = notices[head]
            head += 1
            if head == notices.count || head >= 256 {
                notices.removeFirst(head)
                head = 0
            }
            return notice
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

    /// Waits for the next notice; `nil` at the end or when the task is cancelled.
    func next() async -> EventSubscription.Element? {
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
        let answer: EventSubscription.Element?? = state.withLock { state in
            if state.cancelled.remove(id) != nil { return .some(nil) }
            if let notice = state.take() { return notice }
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
