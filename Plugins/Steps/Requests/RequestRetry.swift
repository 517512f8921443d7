import FoundationEssentials
import MasterKit

/// Decides whether and when a request is retried.
///
/// Unless `on` is set, a request that may have arrived is retried only if its method is idempotent.
struct RequestRetry {
    /// The maximum number of attempts.
    let attempts: Int
    private let policy: RetryPolicy
    private let isIdempotent: Bool

    /// Creates the rules from a policy; without one, there is a single attempt.
    init(_ policy: RetryPolicy?, for method: HTTPMethod) {
        self.policy = policy ?? RetryPolicy()
        attempts = policy.map { $0.attempts ?? RetryPolicy.standardAttempts } ?? 1
        isIdempotent = ![HTTPMethod.post, .patch].contains(method)
    }

    /// Whether to retry after this outcome, if attempts are left.
    func covers(_ outcome: RequestOutcome) -> Bool {
        if case .fault(let error) = outcome, error.isOfTheRequest { return false }
        if let causes = policy.causes { return causes.contains { outcome.isCaused(by: $0) } }
        return switch outcome {
        case .fault(let error): error.isPassing && (isIdempotent || !error.mayHaveArrived)
        case .answer(let response, _, _): isIdempotent && Self.isPassing(response.status)
        }
    }

    /// The wait after an attempt, and whether the server requested a longer one than usual.
    func wait(
        after attempt: Int, _ outcome: RequestOutcome, now: Date = .now
    ) -> (duration: Duration, isAskedFor: Bool) {
        let usual = policy.wait(after: attempt, standard: RetryPolicy.standardWaits)
        let longest = policy.maxBackoff ?? max(RetryPolicy.standardWaits.maxBackoff, usual)
        guard case .answer(let response, _, _) = outcome,
            let asked = response.retryAfter(now: now, limit: longest), asked > usual
        else { return (usual, false) }
        return (asked, true)
    }

    private static func isPassing(_ status: Int) -> Bool {
        [408, 425, 429].contains(status) || (500...599).contains(status)
    }
}

extension RequestOutcome {
    fileprivate func isCaused(by cause: RetryCause) -> Bool {
        switch (cause, self) {
        case (.failure, _): !isSuccess
        case (.exception, _): false
        case (.status(let range), .answer(let response, _, _)): range.contains(response.status)
        case (_, .fault(let error)): cause.includes(error)
        case (.refused, .answer), (.timeout, .answer), (.closed, .answer): false
        }
    }
}

extension HTTPError {
    /// Whether retrying is pointless, because the request itself is invalid or was cancelled.
    fileprivate var isOfTheRequest: Bool {
        switch code {
        case .invalidURL, .unsupportedScheme, .invalidMethod, .invalidHeader, .fileUnreadable,
            .cancelled, .shutDown:
            true
        default: false
        }
    }

    /// Whether a retry may succeed.
    fileprivate var isPassing: Bool {
        RetryCause.refused.includes(self) || RetryCause.timeout.includes(self)
            || [.closedEarly, .transferFailed].contains(code)
    }
}
