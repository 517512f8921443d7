/// The events that a reader of an ``EventBus`` gets, in the order in which they were committed.
public struct EventSubscription: AsyncSequence, Sendable {
    /// An event, or how many are missing.
    public typealias Element = EventBus.Delivery
    /// Reading does not fail.
    public typealias Failure = Never

    /// Takes one delivery after the other out of the reader's buffer.
    public struct Iterator: AsyncIteratorProtocol {
        let buffer: EventBuffer

        /// Waits for the next delivery; `nil` at the end or when the task is cancelled.
        public mutating func next() async -> EventBus.Delivery? {
            await buffer.next()
        }

        /// Waits for the next delivery; `nil` at the end or when the task is cancelled.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async -> EventBus.Delivery? {
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
