package import FoundationEssentials

/// A clock that knows the date.
package protocol WallClock: Sendable {
    var now: Date { get }
    /// Waits until a time.
    ///
    /// - Throws: `CancellationError`.
    func sleep(until moment: Date) async throws
    /// What measures durations, whatever date the clock is set to.
    var monotonic: any Clock<Duration> { get }
}

extension WallClock {
    package var monotonic: any Clock<Duration> { ContinuousClock() }
}

/// The clock of the machine. A wait notices within a minute that the clock was set, or that the
/// machine was suspended.
package struct SystemWallClock: WallClock {
    private static let longestSleep = 60.0

    package init() {}

    package var now: Date { Date() }

    package func sleep(until moment: Date) async throws {
        while true {
            let left = moment.timeIntervalSinceNow
            guard left > 0 else { return try Task.checkCancellation() }
            try await Task.sleep(for: .seconds(min(left, Self.longestSleep)))
        }
    }
}
