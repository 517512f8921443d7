import MasterKit

extension Outbox {
    /// Lets everything come to its end that can in a time, and stops.
    ///
    /// It is over early once all reports are made and nothing is open that is worth waiting for.
    /// What is on its way in the end is broken off and stays open.
    ///
    /// - Parameters:
    ///   - time: The time.
    ///   - isPatient: Whether every try that comes before its end is waited for. If not, a receiver
    ///     that was never there in this run is not, nor one that refuses.
    public func drain(for time: Duration, isPatient: Bool = false) async {
        let clock = environment.clock
        let deadline = clock.elapsed + time
        let targets = await newestEvents()
        for sending in sendings { sending.beginDraining() }
        while !Task.isCancelled, clock.elapsed < deadline,
            !isSettled(targets, until: deadline, isPatient: isPatient)
        {
            await environment.changed.wait(until: deadline, on: clock)
        }
        stop()
        await waitForEnd()
        guard environment.store.failure == nil else { return }
        do {
            // What is too old was tried once more by now, also in a run that is soon over.
            try await housekeeping.trim()
        } catch {
            environment.logger.error("reports were not kept within their bounds: \(error)")
        }
    }

    private func isSettled(
        _ targets: [Int],
        until deadline: Duration,
        isPatient: Bool
    ) -> Bool {
        zip(generations, targets).allSatisfy { $0.isDone(upTo: $1) }
            && sendings.allSatisfy { $0.isSettled(until: deadline, isPatient: isPatient) }
    }

    /// The newest event that each reporter has to look at.
    private func newestEvents() async -> [Int] {
        let kinds = generations.map(\.recipient.kinds)
        do {
            return try await environment.store.read { database in
                try kinds.map { try database.newestEvent(of: $0) }
            }
        } catch {
            environment.logger.error("the last reports may be missing: \(error)")
            return kinds.map { _ in 0 }
        }
    }
}
