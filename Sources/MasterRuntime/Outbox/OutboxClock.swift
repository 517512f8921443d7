import FoundationEssentials

/// The time of an outbox: what has passed since it was opened, whatever the clock on the wall says.
struct OutboxClock: Sendable {
    /// The time since the outbox was opened.
    var elapsed: Duration { read() }
    /// The date, as the outbox counts it from when it was opened.
    var now: Date { opened.addingTimeInterval(elapsed / .seconds(1)) }

    private let opened = Date()
    private let read: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// Begins to count with a clock.
    init(_ clock: some Clock<Duration>) {
        let start = clock.now
        read = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(until: start.advanced(by: $0), tolerance: nil) }
    }

    /// Waits until so much time has passed; returns early in a task that is cancelled.
    func wait(until moment: Duration) async {
        do {
            try await sleep(moment)
        } catch {
            // A clock throws only when the task is cancelled, and who waits looks at that itself.
        }
    }
}
