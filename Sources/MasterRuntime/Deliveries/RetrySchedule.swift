import MasterKit

/// Determines when a failed report is retried.
struct RetrySchedule: Sendable {
    /// The longest delay that a receiver may ask for.
    static let longestAskedFor: Duration = .seconds(3600)

    /// The delays after the first, second, … attempt; the last one is repeated.
    var delays: [Duration] = [
        .seconds(5), .seconds(30), .seconds(120), .seconds(600), .seconds(1800), .seconds(3600),
        .seconds(7200), .seconds(14400),
    ]
    /// The age at which a report is given up if it fails again; the last attempt is made at that
    /// age.
    var end: Duration? = .seconds(75 * 3600)
    /// The range of random factors applied to delays, so that a receiver that becomes reachable
    /// does not get everything at once.
    var jitter: ClosedRange<Double> = 0.8...1.2
    /// The reporter's settings, which override the defaults.
    var policy = RetryPolicy()

    /// Whether the delays are the defaults.
    var isStandard: Bool { policy.backoff == nil && policy.maxBackoff == nil }

    /// The schedule with a reporter's settings applied.
    func following(_ policy: RetryPolicy?) -> RetrySchedule {
        guard let policy else { return self }
        var schedule = self
        schedule.policy = policy
        if policy.attempts != nil { schedule.end = nil }
        return schedule
    }

    /// The delay after an attempt; at least what the receiver asked for, within limits.
    ///
    /// - Parameters:
    ///   - attempt: The number of attempts, from 1.
    ///   - age: The time since the first attempt was due.
    ///   - asked: The delay that the receiver asked for.
    /// - Returns: The delay, or `nil` if the report is to be given up.
    func delay(
        afterAttempt attempt: Int, age: Duration = .zero, askedFor asked: Duration? = nil
    ) -> Duration? {
        if let limit = policy.attempts, attempt >= limit { return nil }
        if let end, age >= end { return nil }
        let delay = max(
            chosenDelay(afterAttempt: attempt) * Double.random(in: jitter),
            min(asked ?? .zero, Self.longestAskedFor))
        return end.map { min(delay, $0 - age) } ?? delay
    }

    private func chosenDelay(afterAttempt attempt: Int) -> Duration {
        guard policy.backoff == nil, let last = delays.last else {
            return policy.wait(
                after: attempt, standard: (delays.first ?? .zero, delays.last ?? .zero))
        }
        let delay = attempt > delays.count ? last : delays[max(attempt, 1) - 1]
        return policy.maxBackoff.map { min(delay, $0) } ?? delay
    }
}
