import Synchronization

/// A clock that never waits: each sleep moves it to the end of the sleep at once and is recorded.
public final class EagerClock: Clock, Sendable {
    /// A point in time, relative to the creation of the clock.
    public struct Instant: InstantProtocol {
        private var offset = Duration.zero

        /// Returns the instant after a duration.
        public func advanced(by duration: Duration) -> Instant {
            var later = self
            later.offset += duration
            return later
        }

        /// Returns the time from this instant to another.
        public func duration(to other: Instant) -> Duration { other.offset - offset }

        /// Orders instants by time.
        public static func < (one: Instant, other: Instant) -> Bool { one.offset < other.offset }
    }

    private let state = Mutex((now: Instant(), sleeps: [Duration]()))

    /// Creates a clock.
    public init() {}

    /// The end of the last sleep.
    public var now: Instant { state.withLock { $0.now } }

    /// The smallest step of the clock.
    public var minimumResolution: Duration { .zero }

    /// The requested duration of each sleep, in order.
    public var sleeps: [Duration] { state.withLock { $0.sleeps } }

    /// Advances the clock to an instant.
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
