import MasterKit
import Testing

@testable import MasterRuntime

struct RetryScheduleTests {
    @Test(arguments: [
        (1, 5), (2, 30), (3, 120), (4, 600), (5, 1800), (6, 3600), (7, 7200), (8, 14400),
        (9, 14400), (1000, 14400),
    ])
    func `tries come at growing distances`(attempt: Int, seconds: Int) {
        let schedule = RetrySchedule(jitter: 1...1)
        #expect(schedule.delay(afterAttempt: attempt) == .seconds(seconds))
    }

    @Test(arguments: [(3, 5), (60, 60), (3600, 3600), (86_400, 3600)])
    func `a receiver may ask for more time, up to an hour`(asked: Int, seconds: Int) {
        let schedule = RetrySchedule(jitter: 1...1)
        let delay = schedule.delay(afterAttempt: 1, askedFor: .seconds(asked))
        #expect(delay == .seconds(seconds))
    }

    @Test func `distances differ by a fifth at most, and do differ`() {
        let delays = (1...200).map { _ in RetrySchedule().delay(afterAttempt: 2) }
        #expect(delays.allSatisfy { $0.map { $0 >= .seconds(24) && $0 <= .seconds(36) } ?? false })
        #expect(Set(delays).count > 100)
    }

    @Test(arguments: [
        (RetryPolicy(backoff: .seconds(1)), [1, 2, 4, 8, 16]),
        (RetryPolicy(backoff: .seconds(1), maxBackoff: .seconds(3)), [1, 2, 3, 3, 3]),
        (RetryPolicy(maxBackoff: .seconds(60)), [5, 30, 60, 60, 60]),
        (RetryPolicy(attempts: 9), [5, 30, 120, 600, 1800]),
    ])
    func `a policy changes the distances`(policy: RetryPolicy, seconds: [Int]) {
        let schedule = RetrySchedule(jitter: 1...1).following(policy)
        let delays = (1...5).map { schedule.delay(afterAttempt: $0) }
        #expect(delays == seconds.map { .seconds($0) })
    }
}
