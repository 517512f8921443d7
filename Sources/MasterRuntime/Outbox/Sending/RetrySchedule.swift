/// When a report is tried again after a try that failed.
struct RetrySchedule: Sendable {
    /// The longest time that a receiver may ask for.
    static let longestAskedFor: Duration = .seconds(3600)

    /// The waiting times after the first, second, … try; the last one is kept to from then on.
    var delays: [Duration] = [
        .seconds(5), .seconds(30), .seconds(120), .seconds(600), .seconds(1800), .seconds(3600),
        .seconds(7200), .seconds(14400),
    ]
    /// The share of a waiting time that is really waited, at random, so that receivers that come
    /// back do not get everything at once.
    var jitter: ClosedRange<Double> = 0.8...1.2

    /// The time to wait after so many tries, at least what the receiver asked for within reason.
    func delay(afterAttempt attempt: Int, askedFor asked: Duration? = nil) -> Duration {
        let index = min(max(attempt, 1), delays.count) - 1
        let delay = delays.isEmpty ? .zero : delays[index] * Double.random(in: jitter)
        return max(delay, min(asked ?? .zero, Self.longestAskedFor))
    }
}
