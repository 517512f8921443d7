import MasterKit
import Testing

struct RetryPolicyTests {
    @Test(arguments: [
        ("3", RetryPolicy(attempts: 3)), ("1", RetryPolicy(attempts: 1)),
        ("{attempts: 5}", RetryPolicy(attempts: 5)),
        (
            "{backoff: 2s, maxBackoff: 1m}",
            RetryPolicy(backoff: .seconds(2), maxBackoff: .seconds(60))
        ),
        ("{on: refused}", RetryPolicy(causes: [.refused])),
        (
            "{attempts: 2, on: [failure, exception, timeout, closed, 5xx, 503, '500-599']}",
            RetryPolicy(
                attempts: 2,
                causes: [
                    .failure, .exception, .timeout, .closed, .status(StatusRange(500...599)),
                    .status(StatusRange(503...503)), .status(StatusRange(500...599)),
                ])
        ),
    ])
    func `a number or a mapping is read`(yaml: String, policy: RetryPolicy) {
        let reading = Reading(yaml, as: RetryPolicy.self)
        #expect(reading.value == policy)
        #expect(reading.messages == [])
    }

    @Test(arguments: [
        (
            "0",
            "1:1: 'it' counts all tries including the first: a number from 1, which never retries, "
                + "to 1000"
        ),
        (
            "{attempts: 1001}",
            "1:12: 'attempts' of 'it' counts all tries including the first: a number from 1, which "
                + "never retries, to 1000"
        ),
        (
            "true",
            "1:1: 'it' must be a number of tries, or {attempts, backoff, maxBackoff, on}, not true"
        ),
        (
            "'3'",
            "1:1: 'it' must be a number of tries, or {attempts, backoff, maxBackoff, on}, not '3'"
        ),
        (
            "[3]",
            "1:1: 'it' must be a number of tries, or {attempts, backoff, maxBackoff, on}, not a "
                + "list"
        ),
        ("{atempts: 3}", "1:2: 'it' has no setting 'atempts'; did you mean 'attempts'?"),
        (
            "{backoff: 2m, maxBackoff: 1m}",
            "1:1: 'it' has a backoff longer than its maxBackoff; lower the one or raise the other"
        ),
        (
            "{backoff: soon}",
            "1:11: 'backoff' of 'it' must be a duration such as 30, 30s, 5m or 1h30m, not 'soon'"
        ),
        (
            "{on: []}",
            "1:6: 'on' of 'it' lists nothing to retry after; omit 'retry' instead"
        ),
        ("{on: [timeuot]}", "1:7: 'on' of 'it' can't have 'timeuot'; did you mean 'timeout'?"),
        (
            "{on: success}",
            "1:6: 'on' of 'it' can't have 'success'; there are failure, exception, refused, "
                + "timeout, closed, statuses such as 503 or 5xx"
        ),
        (
            "{on: [42]}",
            "1:7: 'on' of 'it' has '42' for a status; a status has three digits, from 100 on"
        ),
        ("{on: [5x]}", "1:7: 'on' of 'it' must be a status such as 200, 2xx or 200-299, not '5x'"),
        (
            "{on: {a: b}}",
            "1:6: 'on' of 'it' must be failure, exception, refused, timeout, closed or a status "
                + "such as 503 or 5xx, not a mapping"
        ),
    ])
    func `what is wrong is told with its place`(yaml: String, place: String) {
        let reading = Reading(yaml, as: RetryPolicy.self)
        #expect(reading.value == nil)
        #expect(reading.places == [place])
    }

    private static let standard = (backoff: Duration.seconds(1), maxBackoff: Duration.seconds(60))

    @Test(arguments: [
        (RetryPolicy(), [1, 2, 4, 8, 16, 32, 60, 60]),
        (RetryPolicy(backoff: .seconds(3), maxBackoff: .seconds(10)), [3, 6, 10, 10]),
        (RetryPolicy(backoff: .seconds(90)), [90, 90]),
        (RetryPolicy(maxBackoff: .zero), [0, 0, 0]),
        (RetryPolicy(backoff: .zero), [0, 0, 0]),
    ])
    func `each wait is twice the one before, up to the longest`(
        policy: RetryPolicy, seconds: [Int]
    ) {
        let waits = (1...seconds.count).map { policy.wait(after: $0, standard: Self.standard) }
        #expect(waits == seconds.map { .seconds($0) })
    }

    @Test func `the last of very many waits is the longest one`() {
        let policy = RetryPolicy(attempts: 1000, maxBackoff: .seconds(86_400))
        #expect(policy.wait(after: 999, standard: Self.standard) == .seconds(86_400))
        #expect(policy.wait(after: 0, standard: Self.standard) == .seconds(1))
    }
}
