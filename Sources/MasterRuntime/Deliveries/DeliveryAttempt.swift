import FoundationEssentials
import MasterHTTP
import MasterKit

/// One attempt of a delivery and its result, with secrets masked.
struct DeliveryAttempt: Sendable {
    /// The maximum length of a stored error, in bytes.
    static let errorLimit = 4096

    /// The number of the attempt, starting at 1.
    let number: Int
    /// When it started.
    let at: Date
    /// Its duration.
    let duration: Duration
    /// The outcome.
    let outcome: DeliveryOutcome
    /// The status of the response, if any.
    var status: Int?
    /// Why the report was not delivered.
    var error: Masked<String>?
    /// The beginning of the response body.
    var responseText: Masked<String>?
    /// The URL of the receiver.
    var receiver: String?
    /// Why it failed; `nil` if it did not, or was cancelled.
    var failureKind: FailureKind?
    /// The time before which the receiver asked not to be contacted, also in later runs.
    var notBefore: Date?
    /// Why nothing more is sent to the endpoint.
    var closure: EndpointClosure?
}

extension DeliveryAttempt {
    /// Records an attempt that has ended.
    ///
    /// - Parameters:
    ///   - failed: The failure; `nil` if the report was delivered.
    ///   - start: When the attempt started.
    ///   - duration: How long it took.
    ///   - reporter: The reporter.
    ///   - context: What the reporter received.
    ///   - environment: The environment of the deliveries.
    init(
        _ failed: FailedAttempt?, startedAt start: Date, lasting duration: Duration,
        by reporter: RunningReporter, in context: DeliveryContext,
        _ environment: DeliveryEnvironment
    ) {
        let (mask, trace) = (environment.mask, context.trace)
        // The run ended before there was a response.
        let wasBrokenOff =
            Task.isCancelled && failed?.status == nil && failed?.verdict == .retry(after: nil)
        let outcome: DeliveryOutcome =
            if wasBrokenOff {
                .again(after: .zero, reason: "no answer before sending was stopped")
            } else {
                DeliveryOutcome(failed, schedule: reporter.schedule).masked(by: mask)
            }
        let error = outcome.reason.map { mask.masked($0.beginning(ofUTF8: Self.errorLimit)) }
        let responseText = (failed?.error as? DeliveryError)?.responseText ?? trace.responseText
        self.init(
            number: context.attempt, at: start, duration: duration, outcome: outcome,
            status: failed?.status ?? trace.status, error: error,
            responseText: responseText.map { text in
                mask.masked(text).map { $0.beginning(ofUTF8: DeliveryTrace.textLimit) }
            }, receiver: trace.receiver, failureKind: wasBrokenOff ? nil : failed?.failureKind)
        if case .again = outcome, case .retry(let asked?) = failed?.verdict {
            let wait = min(asked, RetrySchedule.longestAskedFor)
            notBefore = environment.clock.now.addingTimeInterval(wait / .seconds(1))
        }
        if case .closed = outcome, let error {
            closure = EndpointClosure(
                reason: error, receiver: environment.fingerprint(of: reporter))
        }
    }
}

/// A failed attempt.
struct FailedAttempt: Sendable {
    /// The error thrown by the reporter.
    let error: any Error
    /// The HTTP status of the response, if there was one.
    var status: Int?
    /// Why there was no response.
    var fault: HTTPError?
    /// The number of the attempt since the retry schedule began.
    var number = 1
    /// The time since the retry schedule began.
    var age: Duration = .zero

    /// What to do with the report, according to the reporter.
    var verdict: DeliveryError.Verdict {
        (error as? DeliveryError)?.verdict ?? .retry(after: nil)
    }

    /// The reason, as a sentence.
    var reason: String {
        (error as? DeliveryError)?.reason ?? "\(error)"
    }

    /// Why the report was not delivered; `nil` if it was not meant to be.
    var failureKind: FailureKind? {
        if verdict == .nothingToSend { return nil }
        guard let status else { return .unreachable }
        if case .retry(.some) = verdict { return .unavailable }
        return switch status {
        case 502, 503, 504: .unreachable
        case 408, 425, 429, 500...599: .unavailable
        default: .rejected
        }
    }

    /// Whether the failure has a cause named in the configuration.
    func isCaused(by cause: RetryCause) -> Bool {
        switch cause {
        case .failure: error is DeliveryError && verdict != .reject
        case .exception: !(error is DeliveryError)
        case .refused, .timeout, .closed: fault.map(cause.includes) ?? false
        case .status(let range): status.map(range.contains) ?? false
        }
    }
}

/// The outcome of one attempt of a delivery.
enum DeliveryOutcome: Sendable, Equatable {
    /// It was delivered.
    case delivered
    /// It will be retried after a delay.
    case again(after: Duration, reason: String)
    /// It will not be retried.
    case dead(reason: String)
    /// The endpoint no longer exists; nothing more is sent to it.
    case closed(reason: String)
    /// The reporter does not send this report.
    case nothing(reason: String)

    /// Determines the outcome of an attempt; one without a failure has delivered.
    init(_ failed: FailedAttempt?, schedule: RetrySchedule) {
        guard let failed else {
            self = .delivered
            return
        }
        let isNamed = schedule.policy.causes?.contains { failed.isCaused(by: $0) }
        switch failed.verdict {
        case .endpointGone:
            self = .closed(reason: failed.reason)
        case .nothingToSend:
            self = .nothing(reason: failed.reason)
        case .reject where isNamed != true:
            self = .dead(reason: failed.reason)
        case .retry where isNamed == false:
            self = .dead(reason: "\(failed.reason); 'retry' does not name this")
        case .reject:
            self.init(failed, schedule, askedFor: nil)
        case .retry(let asked):
            self.init(failed, schedule, askedFor: asked)
        }
    }

    private init(_ failed: FailedAttempt, _ schedule: RetrySchedule, askedFor asked: Duration?) {
        let delay = schedule.delay(afterAttempt: failed.number, age: failed.age, askedFor: asked)
        if let delay {
            self = .again(after: delay, reason: failed.reason)
        } else {
            let tries = failed.number == 1 ? "1 try" : "\(failed.number) tries"
            self = .dead(reason: "given up after \(tries): \(failed.reason)")
        }
    }

    /// Why the report was not delivered.
    var reason: String? {
        switch self {
        case .delivered: nil
        case .again(_, let reason), .dead(let reason), .closed(let reason), .nothing(let reason):
            reason
        }
    }

    /// The outcome with its reason masked.
    func masked(by mask: SecretMask) -> DeliveryOutcome {
        switch self {
        case .delivered: self
        case .again(let delay, let reason): .again(after: delay, reason: mask.apply(to: reason))
        case .dead(let reason): .dead(reason: mask.apply(to: reason))
        case .closed(let reason): .closed(reason: mask.apply(to: reason))
        case .nothing(let reason): .nothing(reason: mask.apply(to: reason))
        }
    }
}
