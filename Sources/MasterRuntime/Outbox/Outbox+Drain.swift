import MasterKit

extension Outbox {
    /// Lets everything come to its end that can in a time, and stops.
    ///
    /// It is over early once all reports are made and nothing is open, or what is open failed and
    /// is to be tried again only after that time. What is on its way in the end is broken off and
    /// stays open.
    public func drain(for time: Duration) async {
        let clock = environment.clock
        let deadline = clock.elapsed + time
        let targets = await newestEvents()
        while !Task.isCancelled, clock.elapsed < deadline, !isSettled(targets, until: deadline) {
            await environment.changed.wait(until: deadline, on: clock)
        }
        stop()
        await waitForEnd()
    }

    private func isSettled(_ targets: [Int], until deadline: Duration) -> Bool {
        zip(generations, targets).allSatisfy { $0.isDone(upTo: $1) }
            && sendings.allSatisfy { $0.isSettled(until: deadline) }
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
