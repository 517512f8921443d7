import Synchronization

/// A clock on which no sleep lasts: it moves to the end of the sleep at once, and writes it down.
public final class EagerClock: Clock, Sendable {
    /// A moment, as the time since the clock was made.
    public struct Instant: InstantProtocol {
        private var offset = Duration.zero

        /// The moment that is so much later.
        public func advanced(by duration: Duration) -> Instant {
            var later = self
            later.offset += duration
            return later
        }

        /// The time from this moment to another one.
        public func duration(to other: Instant) -> Duration { other.offset - offset }

        /// Orders moments as they follow each other.
        public static func < (one: Instant, other: Instant) -> Bool { one.offset < other.offset }
    }

    private let state = Mutex((now: Instant(), sleeps: [Duration]()))

    /// Makes a clock.
    public init() {}

    /// The end of the last sleep.
    public var now: Instant { state.withLock { $0.now } }

    /// The smallest step of the clock.
    public var minimumResolution: Duration { .zero }

    /// How long each sleep was to last, in their order.
    public var sleeps: [Duration] { state.withLock { $0.sleeps } }

    /// Moves to a moment.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        state.withLock { state in
            state.sleeps.append(state.now.duration(to: deadline))
            state.now = max(state.now, deadline)
        }
    }
}
