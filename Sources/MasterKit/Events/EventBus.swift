internal import Synchronization

/// Hands committed events to live readers.
///
/// Publishing never waits: each reader has a bounded buffer, and one that is slower than the
/// events come is told how many it missed, at the place where they are missing.
public final class EventBus: Sendable {
    /// What a reader gets.
    public enum Delivery: Sendable, Hashable {
        /// Something happened.
        case event(Event)
        /// So many events came while the buffer was full; they are gone for this reader.
        case missed(Int)
    }

    private struct State {
        var buffers: [EventBuffer] = []
        var wantedKinds: Set<EventKind> = []
        var isFinished = false
    }

    private let state = Mutex(State())

    /// Makes a bus without readers.
    public init() {}

    /// The kinds that somebody reads at this moment.
    public var wantedKinds: Set<EventKind> {
        state.withLock(\.wantedKinds)
    }

    /// Whether somebody reads a kind at this moment.
    public func isWanted(_ kind: EventKind) -> Bool {
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
    public func withSubscription<Value, Failure: Error>(
        to kinds: Set<EventKind>,
        bound: Int,
        _ body: (EventSubscription) async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let events = subscribe(to: kinds, bound: bound)
        defer { unsubscribe(events) }
        return try await body(events)
    }

    /// Begins a subscription, which lasts until ``unsubscribe(_:)``.
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
    public func publish(_ events: some Sequence<Event>) {
        let buffers = state.withLock(\.buffers)
        guard !buffers.isEmpty else { return }
        for event in events {
            for buffer in buffers where buffer.kinds.contains(event.kind) {
                buffer.append(event)
            }
        }
    }

    /// Hands one event to its readers; returns at once.
    public func publish(_ event: Event) {
        publish(CollectionOfOne(event))
    }

    /// Ends all subscriptions, present and future ones, once they have been read to their end.
    public func finish() {
        let buffers = state.withLock { state in
            state.isFinished = true
            return state.buffers
        }
        for buffer in buffers { buffer.finish() }
    }
}
