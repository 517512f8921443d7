import MasterKit

/// When a report is tried again after a try that failed.
struct RetrySchedule: Sendable {
    /// The longest time that a receiver may ask for.
    static let longestAskedFor: Duration = .seconds(3600)

    /// The waiting times after the first, second, … try; the last one is kept to from then on.
    var delays: [Duration] = [
        .seconds(5), .seconds(30), .seconds(120), .seconds(600), .seconds(1800), .seconds(3600),
        .seconds(7200), .seconds(14400),
    ]
    /// After how long a report that fails again is given up; there is a last try at that time.
    var end: Duration? = .seconds(75 * 3600)
    /// The share of a waiting time that is really waited, at random, so that receivers that come
    /// back do not get everything at once.
    var jitter: ClosedRange<Double> = 0.8...1.2
    /// What the reporter's settings say in its place.
    var policy = RetryPolicy()

    /// Whether the waiting times are those that nobody has chosen.
    var isStandard: Bool { policy.backoff == nil && policy.maxBackoff == nil }

    /// The schedule with the settings of a reporter.
    func following(_ policy: RetryPolicy?) -> RetrySchedule {
        guard let policy else { return self }
        var schedule = self
        schedule.policy = policy
        if policy.attempts != nil { schedule.end = nil }
        return schedule
    }

    /// The time to wait after so many tries, at least what the receiver asked for within reason.
    ///
    /// - Parameters:
    ///   - attempt: How often it was tried, from 1.
    ///   - age: How long ago the first try was due.
    ///   - asked: What the receiver asked for.
    /// - Returns: The time, `nil` when the report is to be given up.
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
