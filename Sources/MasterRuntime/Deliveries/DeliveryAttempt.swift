import FoundationEssentials
import MasterHTTP
import MasterKit

/// What became of a delivery in one try.
struct AttemptResult: Sendable {
    /// What became of it.
    let outcome: DeliveryOutcome
    /// What was in the way; `nil` also for a try that was broken off.
    var failureKind: FailureKind?
    /// The address that was asked.
    var receiver: String?
}

extension DeliverySender {
    /// Tries a delivery once and records the try.
    ///
    /// - Throws: A `StoreError` when the try cannot be recorded.
    func send(_ delivery: Delivery) async throws(StoreError) -> AttemptResult {
        let report = try await report(of: delivery)
        let context = context(of: delivery)
        let at = environment.clock.now
        let start = environment.clock.elapsed
        let failed = await attempt(report, of: delivery, in: context)
        let outcome = outcome(of: failed, context)
        let mask = environment.mask
        let attempt = DeliveryAttempt(
            number: context.attempt, at: at, duration: environment.clock.elapsed - start,
            status: failed?.status ?? context.trace.status,
            error: outcome.reason.map { reason in
                mask.masked(reason.beginning(ofUTF8: DeliveryAttempt.errorLimit))
            },
            answer: answer(failed?.error as? DeliveryError, context.trace))
        let closure = closure(outcome, context)
        let notBefore = notBefore(failed, outcome)
        try await environment.store.write { [recipient] transaction in
            try transaction.keep(attempt, of: delivery, outcome: outcome, notBefore: notBefore)
            if let closure { try transaction.close(reporter: recipient.id, closure) }
        }
        return AttemptResult(
            outcome: outcome, failureKind: wasBrokenOff(failed) ? nil : failed?.failureKind,
            receiver: context.trace.receiver)
    }

    /// Calls the reporter; `nil` when it delivered.
    private func attempt(
        _ stored: Result<Report, DeliveryFault>, of delivery: Delivery,
        in context: DeliveryContext
    ) async -> FailedAttempt? {
        let report: Report
        switch stored {
        case .success(let found): report = found
        case .failure(let fault): return FailedAttempt(error: DeliveryError(.reject, "\(fault)"))
        }
        do {
            try await PluginCall.run(on: environment.clock) { [recipient] in
                try await recipient.reporter.send(report, in: context)
            }
            return nil
        } catch {
            let age = environment.clock.now.timeIntervalSince(delivery.since)
            return FailedAttempt(
                error: error, status: (error as? DeliveryError)?.status ?? context.trace.status,
                fault: context.trace.fault, number: delivery.attempts - delivery.triesBefore + 1,
                age: .seconds(max(0, age)))
        }
    }

    private func outcome(of failed: FailedAttempt?, _ context: DeliveryContext) -> DeliveryOutcome {
        guard let failed else { return .delivered }
        let outcome = DeliveryOutcome(failed, schedule: recipient.schedule)
        if wasBrokenOff(failed) {
            return .again(after: .zero, reason: "no answer before the run ended")
        }
        return outcome.masked(by: environment.mask)
    }

    /// Whether a try failed because the run ended.
    private func wasBrokenOff(_ failed: FailedAttempt?) -> Bool {
        guard let failed else { return false }
        return Task.isCancelled && failed.status == nil && failed.verdict == .retry(after: nil)
    }

    /// Until when the receiver has asked to be left alone, in later runs, too.
    private func notBefore(_ failed: FailedAttempt?, _ outcome: DeliveryOutcome) -> Date? {
        guard case .again = outcome, case .retry(let asked?) = failed?.verdict else { return nil }
        let wait = min(asked, RetrySchedule.longestAskedFor)
        return environment.clock.now.addingTimeInterval(wait / .seconds(1))
    }

    private func closure(
        _ outcome: DeliveryOutcome, _ context: DeliveryContext
    ) -> EndpointClosure? {
        guard case .closed(let reason) = outcome else { return nil }
        return EndpointClosure(
            reason: environment.mask.masked(
                reason.beginning(ofUTF8: DeliveryAttempt.errorLimit)),
            receiver: environment.fingerprint(of: recipient))
    }

    private func answer(_ error: DeliveryError?, _ trace: DeliveryTrace) -> Masked<String>? {
        (error?.answer ?? trace.answer).map { answer in
            environment.mask.masked(answer).map {
                $0.beginning(ofUTF8: DeliveryTrace.answerLimit)
            }
        }
    }

    private func context(of delivery: Delivery) -> DeliveryContext {
        environment.context(
            for: recipient,
            id: DeliveryID(
                store: environment.storeID, reporter: recipient.id, event: delivery.eventSequence,
                part: delivery.part),
            attempt: delivery.attempts + 1
        )
    }

    private func report(
        of delivery: Delivery
    ) async throws(StoreError) -> Result<Report, DeliveryFault> {
        let stored = try await environment.store.read { database in
            try database.storedReport(ofDelivery: delivery.id)
        }
        guard let stored else { return .failure(DeliveryFault("the stored report is gone")) }
        return Result { () throws(DeliveryFault) in
            try Report(stored: stored).revealed(with: environment.secrets)
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

    /// What a try that failed means.
    init(_ failed: FailedAttempt, schedule: RetrySchedule) {
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
