import Synchronization

/// A clock that never waits: each sleep moves it to the end of the sleep at once and is recorded.
public final class EagerClock: Clock, Sendable {
    /// A point in time, relative to the creation of the clock.
    public typealias Instant = TestInstant

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

/// A clock that stands still until a test advances it.
///
/// ```swift
/// let clock = ManualClock()
/// let harness = try StepHarness(clock: clock)
/// async let results = harness.run(step)
/// await clock.waitForSleep()
/// clock.advance(by: .seconds(30))
/// ```
public final class ManualClock: Clock, Sendable {
    /// A point in time, relative to the creation of the clock.
    public typealias Instant = TestInstant

    private struct Sleeper {
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant()
        var nextID = 0
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var begun: Set<Duration> = []

        mutating func newID() -> Int {
            nextID += 1
            return nextID
        }

        func hasSleep(until deadline: Duration?) -> Bool {
            deadline.map(begun.contains) ?? !sleepers.isEmpty
        }
    }

    private let state = Mutex(State())
    private let waiters = Waiters()

    /// Creates a clock.
    public init() {}

    /// The time to which the test has advanced the clock.
    public var now: Instant { state.withLock { $0.now } }

    /// The smallest step of the clock.
    public var minimumResolution: Duration { .zero }

    /// Suspends until the test has advanced the clock far enough.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { $0.newID() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                begin(Sleeper(deadline: deadline, continuation: continuation), id)
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Advances the clock and wakes the sleeps that are due.
    public func advance(by duration: Duration) {
        let ready = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let ready = state.sleepers.filter { $0.value.deadline <= state.now }
            for id in ready.keys { state.sleepers[id] = nil }
            return ready.values
        }
        for sleeper in ready { sleeper.continuation.resume() }
    }

    /// Waits until somebody sleeps, or the task is cancelled.
    public func waitForSleep() async {
        await wait(for: nil)
    }

    /// Waits until a sleep that ends at a time has begun, or the task is cancelled.
    ///
    /// - Parameter moment: The end of the sleep, counted from the creation of the clock.
    public func waitForSleep(until moment: Duration) async {
        await wait(for: moment)
    }

    private func begin(_ sleeper: Sleeper, _ id: Int) {
        let end = state.withLock { state -> Result<Void, any Error>? in
            let end: Result<Void, any Error>?
            if state.cancelled.remove(id) != nil {
                end = .failure(CancellationError())
            } else if sleeper.deadline <= state.now {
                end = .success(())
            } else {
                end = nil
                state.sleepers[id] = sleeper
            }
            state.begun.insert(sleeper.deadline.offset)
            return end
        }
        if let end { sleeper.continuation.resume(with: end) }
        waiters.check()
    }

    private func wait(for deadline: Duration?) async {
        await waiters.wait { self.state.withLock { $0.hasSleep(until: deadline) } }
    }
}

/// A point in time of a clock for tests.
public struct TestInstant: InstantProtocol {
    /// The time since the creation of the clock.
    public private(set) var offset: Duration

    /// The creation of the clock, or a time after it.
    public init(offset: Duration = .zero) {
        self.offset = offset
    }

    /// Returns the instant after a duration.
    public func advanced(by duration: Duration) -> TestInstant {
        TestInstant(offset: offset + duration)
    }

    /// Returns the time from this instant to another.
    public func duration(to other: TestInstant) -> Duration { other.offset - offset }

    /// Orders instants by time.
    public static func < (one: TestInstant, other: TestInstant) -> Bool {
        one.offset < other.offset
    }
}

/// Something that happens once, and that tasks wait for.
final class Latch: Sendable {
    private let isOpen = Mutex(false)
    private let waiters = Waiters()

    /// Lets all waiting tasks continue, now and later.
    func open() {
        isOpen.withLock { $0 = true }
        waiters.check()
    }

    /// Whether it has happened.
    var hasHappened: Bool { isOpen.withLock(\.self) }

    /// Waits until it has happened, or the task is cancelled.
    func wait() async {
        await waiters.wait { self.hasHappened }
    }
}

/// Runs a plugin until it returns, or is stopped as if its master had been killed.
final class StoppableRun: Sendable {
    private let stopped = Mutex(Latch())

    /// Runs a plugin.
    ///
    /// - Throws: What the plugin throws, unless it was stopped.
    func run(_ plugin: @escaping @Sendable () async throws -> Void) async throws {
        let latch = Latch()
        stopped.withLock { $0 = latch }
        // Ends below.
        let run = Task { try await plugin() }
        let watch = Task {
            await latch.wait()
            run.cancel()
        }
        defer { watch.cancel() }
        let end = await withTaskCancellationHandler {
            await run.result
        } onCancel: {
            run.cancel()
        }
        if latch.hasHappened { return }
        try end.get()
    }

    /// Stops the plugin, which calls this and must not do anything after it.
    func stop() async throws -> Never {
        stopped.withLock(\.self).open()
        while true { try await Task.sleep(for: .seconds(60)) }
    }
}

/// Calls that may never return.
enum Limited {
    /// Runs a closure, and abandons it, cancelled, when a time limit is over.
    ///
    /// - Returns: The outcome, or `nil` if there was none in time.
    static func run<Value: Sendable>(
        within limit: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async -> Result<Value, any Error>? {
        let (outcomes, continuation) = AsyncStream<Result<Value, any Error>?>.makeStream()
        // Ends by itself, or when it heeds its cancellation.
        let call = Task {
            do {
                continuation.yield(.success(try await body()))
            } catch {
                continuation.yield(.failure(error))
            }
        }
        // Ends with this function.
        let timer = Task {
            do {
                try await Task.sleep(for: limit)
            } catch {
                return
            }
            continuation.yield(nil)
        }
        defer {
            timer.cancel()
            call.cancel()
        }
        for await outcome in outcomes { return outcome }
        return nil
    }

    /// Runs a closure, cancels it once it has reached a point, and returns whether it then ends.
    ///
    /// - Parameters:
    ///   - limit: The time limit for reaching the point, and for ending.
    ///   - reached: Opened when the closure has reached the point; it is also cancelled if it never
    ///     does.
    ///   - body: The closure.
    /// - Returns: Whether it ended in time.
    static func endsWhenCancelled(
        within limit: Duration, at reached: Latch,
        _ body: @escaping @Sendable () async throws -> Void
    ) async -> Bool {
        // Cancelled below.
        let call = Task {
            defer { reached.open() }
            try await body()
        }
        _ = await run(within: limit) { await reached.wait() }
        call.cancel()
        return await run(within: limit) { _ = await call.result } != nil
    }
}
