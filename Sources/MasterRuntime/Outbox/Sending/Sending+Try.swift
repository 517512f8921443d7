import FoundationEssentials
import MasterKit

/// What became of a letter in one try.
struct SentLetter: Sendable {
    /// What became of it.
    let outcome: DeliveryOutcome
    /// What was in the way.
    var hindrance: Hindrance?
    /// The address that was asked.
    var receiver: String?
}

extension Sending {
    /// Tries a letter once and records the try.
    ///
    /// - Throws: A `StoreError` when the try cannot be recorded.
    func send(_ letter: Letter) async throws(StoreError) -> SentLetter {
        let report = try await report(of: letter)
        let context = context(of: letter)
        let at = environment.clock.now
        let start = environment.clock.elapsed
        let failed = await attempt(report, of: letter, in: context)
        let outcome = outcome(of: failed, context)
        let attempt = Attempt(
            number: context.attempt,
            at: at,
            duration: environment.clock.elapsed - start,
            status: failed?.status ?? context.trace.status,
            error: outcome.reason,
            answer: answer(failed?.error as? DeliveryError, context.trace)
        )
        let closure = closure(outcome, context)
        try await environment.store.write { [recipient] transaction in
            try transaction.keep(attempt, of: letter, outcome: outcome)
            if let closure { try transaction.close(reporter: recipient.id, closure) }
        }
        return SentLetter(
            outcome: outcome,
            hindrance: failed?.hindrance,
            receiver: context.trace.receiver
        )
    }

    /// Calls the reporter; `nil` when it delivered.
    private func attempt(
        _ stored: Result<Report, DeliveryFault>,
        of letter: Letter,
        in context: DeliveryContext
    ) async -> FailedTry? {
        let report: Report
        switch stored {
        case .success(let found): report = found
        case .failure(let fault): return FailedTry(error: DeliveryError(.reject, "\(fault)"))
        }
        do {
            try await PluginCall.run(on: environment.clock) { [recipient] in
                try await recipient.reporter.send(report, in: context)
            }
            return nil
        } catch {
            let age = environment.clock.now.timeIntervalSince(letter.since)
            return FailedTry(
                error: error,
                status: (error as? DeliveryError)?.status ?? context.trace.status,
                fault: context.trace.fault,
                number: letter.attempts - letter.triesBefore + 1,
                age: .seconds(max(0, age))
            )
        }
    }

    private func outcome(of failed: FailedTry?, _ context: DeliveryContext) -> DeliveryOutcome {
        guard let failed else { return .delivered }
        let outcome = DeliveryOutcome(failed, schedule: recipient.schedule)
        if Task.isCancelled, failed.status == nil, failed.verdict == .retry(after: nil) {
            return .again(after: .zero, reason: "no answer before the run ended")
        }
        return outcome.masked(by: environment.mask)
    }

    private func closure(
        _ outcome: DeliveryOutcome,
        _ context: DeliveryContext
    ) -> EndpointClosure? {
        guard case .closed(let reason) = outcome else { return nil }
        return EndpointClosure(
            reason: reason,
            receiver: environment.fingerprint(of: recipient)
        )
    }

    private func answer(_ error: DeliveryError?, _ trace: DeliveryTrace) -> String? {
        guard let answer = error?.answer else { return trace.answer }
        let masked = environment.mask.apply(to: answer)
        return String(decoding: masked.utf8.prefix(DeliveryTrace.answerLimit), as: UTF8.self)
    }

    private func context(of letter: Letter) -> DeliveryContext {
        environment.context(
            for: recipient,
            id: DeliveryID(
                store: environment.storeID,
                reporter: recipient.id,
                event: letter.eventSequence,
                part: letter.part
            ),
            attempt: letter.attempts + 1
        )
    }

    private func report(
        of letter: Letter
    ) async throws(StoreError) -> Result<Report, DeliveryFault> {
        if let report = letter.report { return .success(report) }
        let stored = try await environment.store.read { database in
            try database.storedReport(ofDelivery: letter.id)
        }
        guard let stored else { return .failure(DeliveryFault("the stored report is gone")) }
        return Result { () throws(DeliveryFault) in try Report(stored: stored) }
    }
}
