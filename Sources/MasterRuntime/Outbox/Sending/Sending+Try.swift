import FoundationEssentials
import MasterKit

/// What became of a letter in one try.
struct SentLetter: Sendable {
    /// What became of it.
    let outcome: DeliveryOutcome
    /// The address that was asked.
    var receiver: String?
}

extension Sending {
    /// Tries a letter once and records the try.
    ///
    /// - Throws: A `StoreError` when the try cannot be recorded.
    func send(_ letter: Letter) async throws(StoreError) -> SentLetter {
        let report = try await report(of: letter)
        let number = letter.attempts + 1
        let context = context(of: letter, attempt: number)
        let at = Date()
        let start = environment.clock.elapsed
        let (outcome, error) = await attempt(report, in: context)
        let attempt = Attempt(
            number: number,
            at: at,
            duration: environment.clock.elapsed - start,
            status: error?.status ?? context.trace.status,
            error: outcome.reason,
            answer: answer(error, context.trace)
        )
        try await environment.store.write { [recipient] transaction in
            try transaction.keep(attempt, of: letter, outcome: outcome)
            if case .closed(let reason) = outcome {
                try transaction.close(reporter: recipient.id, because: reason)
            }
        }
        return SentLetter(outcome: outcome, receiver: context.trace.receiver)
    }

    private func attempt(
        _ stored: Result<Report, DeliveryFault>,
        in context: DeliveryContext
    ) async -> (outcome: DeliveryOutcome, error: DeliveryError?) {
        let report: Report
        switch stored {
        case .success(let found): report = found
        case .failure(let fault): return (.dead(reason: "\(fault)"), nil)
        }
        do {
            try await PluginCall.run(on: environment.clock) { [recipient] in
                try await recipient.reporter.send(report, in: context)
            }
            return (.delivered, nil)
        } catch {
            let outcome = DeliveryOutcome(
                error,
                attempt: context.attempt,
                schedule: environment.schedule
            )
            if Task.isCancelled, case .again = outcome {
                let reason = "no answer before the run ended"
                return (.again(after: .zero, reason: reason), nil)
            }
            return (outcome.masked(by: environment.mask), error as? DeliveryError)
        }
    }

    private func answer(_ error: DeliveryError?, _ trace: DeliveryTrace) -> String? {
        guard let answer = error?.answer else { return trace.answer }
        let masked = environment.mask.apply(to: answer)
        return String(decoding: masked.utf8.prefix(DeliveryTrace.answerLimit), as: UTF8.self)
    }

    private func context(of letter: Letter, attempt: Int) -> DeliveryContext {
        let id =
            "msg_\(environment.storeID)_\(recipient.id)_\(letter.eventSequence)_\(letter.part)"
        return DeliveryContext(
            id: id,
            attempt: attempt,
            logger: environment.logger,
            secrets: environment.secrets,
            mask: environment.mask,
            http: environment.http,
            session: recipient.session
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
