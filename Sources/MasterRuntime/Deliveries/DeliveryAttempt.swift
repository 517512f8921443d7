import FoundationEssentials
import MasterHTTP
import MasterKit

/// One try of a delivery and what came of it, masked.
struct DeliveryAttempt: Sendable {
    /// The longest part of a reason that is kept, in bytes.
    static let errorLimit = 4096

    /// Which try it was, from 1.
    let number: Int
    /// When it began.
    let at: Date
    /// How long it took.
    let duration: Duration
    /// What became of the delivery.
    let outcome: DeliveryOutcome
    /// The status of the answer, when there was one.
    var status: Int?
    /// Why the report was not delivered.
    var error: Masked<String>?
    /// The beginning of the answer's text.
    var answer: Masked<String>?
    /// The address that was asked.
    var receiver: String?
    /// What was in the way; `nil` also for a try that was broken off.
    var failureKind: FailureKind?
    /// Until when the receiver has asked to be left alone, in later runs, too.
    var notBefore: Date?
    /// Why nothing more is sent to the endpoint.
    var closure: EndpointClosure?
}

extension DeliveryEnvironment {
    /// Tries a delivery once and records the try.
    ///
    /// - Parameters:
    ///   - delivery: The delivery.
    ///   - recipient: Its reporter.
    ///   - isCurrent: Whether the reporter's deliveries are still sent from here; asked while the try
    ///     is recorded. If not, only its success is recorded.
    /// - Returns: What came of it; `nil` when the delivery was closed by somebody else before or
    ///   meanwhile, so that it is nothing to be sent or told of.
    /// - Throws: A `StoreError` when the try cannot be recorded.
    func attempt(
        _ delivery: Delivery, to recipient: Recipient, isCurrent: @escaping @Sendable () -> Bool
    ) async throws(StoreError) -> DeliveryAttempt? {
        let (isOpen, report) = try await store.read {
            try $0.storedReport(ofDelivery: delivery.id)
        }
        guard isOpen else { return nil }
        let context = context(
            for: recipient,
            id: DeliveryID(
                store: storeID, reporter: recipient.id, event: delivery.eventSequence,
                part: delivery.part),
            attempt: delivery.attempts + 1)
        let (at, start) = (clock.now, clock.elapsed)
        let failed = await send(report, of: delivery, to: recipient, in: context)
        let attempt = attempt(
            from: at, lasting: clock.elapsed - start, failed, to: recipient, in: context)
        let isKept = try await store.write { transaction in
            guard isCurrent() || attempt.outcome == .delivered else { return false }
            return try transaction.keep(attempt, of: delivery, to: recipient.id)
        }
        return isKept ? attempt : nil
    }

    /// Calls the reporter; `nil` when it delivered.
    private func send(
        _ stored: String?, of delivery: Delivery, to recipient: Recipient,
        in context: DeliveryContext
    ) async -> FailedAttempt? {
        let report: Report
        do throws(DeliveryFault) {
            guard let stored else { throw DeliveryFault("the stored report is gone") }
            report = try Report(stored: stored).revealed(with: secrets)
        } catch {
            return FailedAttempt(error: DeliveryError(.reject, "\(error)"))
        }
        do {
            try await PluginCall.run(on: clock) {
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

    /// What a try came to.
    private func attempt(
        from at: Date, lasting duration: Duration, _ failed: FailedAttempt?,
        to recipient: Recipient, in context: DeliveryContext
    ) -> DeliveryAttempt {
        // The run ended before there was an answer.
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
            answer: answer(failed, context.trace), receiver: context.trace.receiver,
            failureKind: wasBrokenOff ? nil : failed?.failureKind)
        if case .again = outcome, case .retry(let asked?) = failed?.verdict {
            let wait = min(asked, RetrySchedule.longestAskedFor)
            attempt.notBefore = clock.now.addingTimeInterval(wait / .seconds(1))
        }
        if case .closed = outcome, let error {
            attempt.closure = EndpointClosure(reason: error, receiver: fingerprint(of: recipient))
        }
        return attempt
    }

    private func answer(_ failed: FailedAttempt?, _ trace: DeliveryTrace) -> Masked<String>? {
        ((failed?.error as? DeliveryError)?.answer ?? trace.answer).map { answer in
            mask.masked(answer).map { $0.beginning(ofUTF8: DeliveryTrace.answerLimit) }
        }
    }
}

/// A try that did not deliver its report.
struct FailedAttempt: Sendable {
    /// What the reporter threw.
    let error: any Error
    /// The status of the answer, when there was one.
    var status: Int?
    /// Why there was no answer.
    var fault: HTTPError?
    /// Which try it was, counted from where the schedule began.
    var number = 1
    /// How long ago the schedule began.
    var age: Duration = .zero

    /// What is to become of the report as far as the reporter knows.
    var verdict: DeliveryError.Verdict {
        (error as? DeliveryError)?.verdict ?? .retry(after: nil)
    }

    /// What happened, in a sentence.
    var reason: String {
        (error as? DeliveryError)?.reason ?? "\(error)"
    }

    /// What kept the report from being delivered.
    var failureKind: FailureKind {
        guard let status else { return .absence }
        if case .retry(.some) = verdict { return .busyness }
        return switch status {
        case 502, 503, 504: .absence
        case 408, 425, 429, 500...599: .busyness
        default: .refusal
        }
    }

    /// Whether a cause that a file names is this one.
    func isCaused(by cause: RetryCause) -> Bool {
        switch cause {
        case .failure: error is DeliveryError && verdict != .reject
        case .exception: !(error is DeliveryError)
        case .refused: fault.map { Self.missingConnections.contains($0.code) } ?? false
        case .timeout: fault.map { Self.timeouts.contains($0.code) } ?? false
        case .closed: fault.map { Self.lostConnections.contains($0.code) } ?? false
        case .status(let range): status.map(range.contains) ?? false
        }
    }

    private static let missingConnections: Set<HTTPError.Code> = [
        .nameNotFound, .refused, .unreachable, .proxy,
    ]
    private static let timeouts: Set<HTTPError.Code> = [
        .connectTimeout, .silenceTimeout, .totalTimeout,
    ]
    private static let lostConnections: Set<HTTPError.Code> = [
        .closedEarly, .malformedResponse, .transferFailed,
    ]
}

/// What became of one try of a delivery.
enum DeliveryOutcome: Sendable, Equatable {
    /// The receiver has it.
    case delivered
    /// It is tried again after a time.
    case again(after: Duration, reason: String)
    /// It is not tried again.
    case dead(reason: String)
    /// The endpoint is gone; nothing more is sent to it.
    case closed(reason: String)

    /// What a try means; without a failure it delivered.
    init(_ failed: FailedAttempt?, schedule: RetrySchedule) {
        guard let failed else {
            self = .delivered
            return
        }
        let isNamed = schedule.policy.causes?.contains { failed.isCaused(by: $0) }
        switch failed.verdict {
        case .endpointGone:
            self = .closed(reason: failed.reason)
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
        case .again(_, let reason), .dead(let reason), .closed(let reason): reason
        }
    }

    /// The outcome with its reason masked.
    func masked(by mask: SecretMask) -> DeliveryOutcome {
        switch self {
        case .delivered: self
        case .again(let delay, let reason): .again(after: delay, reason: mask.apply(to: reason))
        case .dead(let reason): .dead(reason: mask.apply(to: reason))
        case .closed(let reason): .closed(reason: mask.apply(to: reason))
        }
    }
}

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
