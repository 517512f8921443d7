import FoundationEssentials
import MasterHTTP
import MasterKit

/// The result of one attempt of a delivery.
struct AttemptResult: Sendable {
    /// The outcome.
    let outcome: DeliveryOutcome
    /// Why it failed; `nil` if it did not, or was cancelled.
    var failureKind: FailureKind?
    /// The URL of the receiver.
    var receiver: String?
}

extension DeliverySender {
    /// Attempts a delivery once and records the attempt.
    ///
    /// - Throws: A `StoreError` if the attempt cannot be recorded.
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

    /// Calls the reporter; returns `nil` if the report was delivered.
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

    /// Whether an attempt failed because the run ended.
    private func wasBrokenOff(_ failed: FailedAttempt?) -> Bool {
        guard let failed else { return false }
        return Task.isCancelled && failed.status == nil && failed.verdict == .retry(after: nil)
    }

    /// The time before which the receiver asked not to be contacted, also in later runs.
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

    /// Why the report was not delivered.
    var failureKind: FailureKind {
        guard let status else { return .absence }
        if case .retry(.some) = verdict { return .busyness }
        return switch status {
        case 502, 503, 504: .absence
        case 408, 425, 429, 500...599: .busyness
        default: .refusal
        }
    }

    /// Whether the failure has a cause named in the configuration.
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

    /// Determines the outcome of a failed attempt.
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
