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

extension DeliverySender {
    /// Attempts a delivery once and records the attempt.
    ///
    /// If another pipeline has taken over by then, only a success is recorded.
    /// - Returns: The attempt, or `nil` if the delivery was closed by other means, before or
    ///   meanwhile, so that there is nothing to send or report.
    /// - Throws: A `StoreError` if the attempt cannot be recorded.
    func attempt(_ delivery: Delivery) async throws(StoreError) -> DeliveryAttempt? {
        let (store, clock) = (environment.store, environment.clock)
        var report = delivery.report
        if report == nil {
            let (isOpen, stored) = try await store.read {
                try $0.storedReport(ofDelivery: delivery.id)
            }
            guard isOpen else { return nil }
            report = stored
        }
        let context = environment.context(
            for: recipient,
            id: DeliveryID(
                store: environment.storeID, reporter: recipient.id, event: delivery.eventSequence,
                part: delivery.part),
            attempt: delivery.attempts + 1)
        let (at, start) = (clock.now, clock.elapsed)
        let failed = await send(report, of: delivery, in: context)
        let attempt = attempt(from: at, lasting: clock.elapsed - start, failed, in: context)
        let isRecorded = try await store.write { [self] transaction in
            guard !isOver || attempt.outcome == .delivered else { return false }
            return try transaction.record(attempt, of: delivery, to: recipient.id)
        }
        return isRecorded ? attempt : nil
    }

    /// Calls the reporter; returns `nil` if the report was delivered.
    private func send(
        _ stored: String?, of delivery: Delivery, in context: DeliveryContext
    ) async -> FailedAttempt? {
        let clock = environment.clock
        let report: Report
        do throws(DeliveryFault) {
            guard let stored else { throw DeliveryFault("the stored report is gone") }
            report = try Report(stored: stored).revealed(with: environment.secrets)
        } catch {
            return FailedAttempt(error: DeliveryError(.reject, "\(error)"))
        }
        do {
            try await PluginCall.run(on: clock) { [recipient] in
                try await recipient.reporter.send(report, in: context)
            }
            return nil
        } catch {
            let age = clock.now.timeIntervalSince(delivery.since)
            return FailedAttempt(
                error: error, status: (error as? DeliveryError)?.status ?? context.trace.status,
                fault: context.trace.fault, number: delivery.attempts - delivery.triesBefore + 1,
                age: .seconds(max(0, age)))
        }
    }

    /// Creates the record of an attempt.
    private func attempt(
        from at: Date, lasting duration: Duration, _ failed: FailedAttempt?,
        in context: DeliveryContext
    ) -> DeliveryAttempt {
        let mask = environment.mask
        // The run ended before there was a response.
        let wasBrokenOff =
            Task.isCancelled && failed?.status == nil && failed?.verdict == .retry(after: nil)
        let outcome: DeliveryOutcome =
            if wasBrokenOff {
                .again(after: .zero, reason: "no answer before the run ended")
            } else {
                DeliveryOutcome(failed, schedule: recipient.schedule).masked(by: mask)
            }
        let error = outcome.reason.map {
            mask.masked($0.beginning(ofUTF8: DeliveryAttempt.errorLimit))
        }
        var attempt = DeliveryAttempt(
            number: context.attempt, at: at, duration: duration, outcome: outcome,
            status: failed?.status ?? context.trace.status, error: error,
            responseText: responseText(failed, context.trace), receiver: context.trace.receiver,
            failureKind: wasBrokenOff ? nil : failed?.failureKind)
        if case .again = outcome, case .retry(let asked?) = failed?.verdict {
            let wait = min(asked, RetrySchedule.longestAskedFor)
            attempt.notBefore = environment.clock.now.addingTimeInterval(wait / .seconds(1))
        }
        if case .closed = outcome, let error {
            attempt.closure = EndpointClosure(
                reason: error, receiver: environment.fingerprint(of: recipient))
        }
        return attempt
    }

    private func responseText(
        _ failed: FailedAttempt?, _ trace: DeliveryTrace
    ) -> Masked<String>? {
        let text = (failed?.error as? DeliveryError)?.responseText ?? trace.responseText
        return text.map { text in
            environment.mask.masked(text).map { $0.beginning(ofUTF8: DeliveryTrace.textLimit) }
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
