import MasterKit

extension Outbox {
    /// How the deliveries of this run stand, and those of earlier runs that it took up or that
    /// still wait, in the order of their events.
    ///
    /// What was given up is told once: what is in one summary is in no later one.
    public func summary() async throws(StoreError) -> DeliverySummary {
        let receivers = sendings.reduce(into: [Int: String]()) { receivers, sending in
            receivers[sending.recipient.id] = sending.receiver
        }
        let names = Set(sendings.map(\.recipient.name))
        let (sequence, moment) = (lastOfEarlierRuns, openedAt)
        let store = environment.store
        let (deliveries, waiting, closed) = try await store.read { database in
            (
                try database.deliveries(after: sequence, triedSince: moment, receivers: receivers),
                try database.waitingCounts(),
                try database.reporters().filter { $0.closedAt != nil && names.contains($0.name) }
            )
        }
        var unreportedCount = 0
        for generation in generations { unreportedCount += try await generation.unreportedCount() }
        // A store that has failed keeps what was told no more than anything else.
        let (givenUp, others) =
            store.failure == nil ? try await store.write { try $0.tellOfDeadLetters() } : ([], 0)
        return DeliverySummary(
            deliveries: deliveries,
            deliveredCount: environment.tally.delivered,
            openCount: waiting.open,
            parkedCount: waiting.parked,
            deadCount: environment.tally.dead,
            unreportedCount: unreportedCount,
            givenUp: givenUp,
            otherGivenUpCount: others + environment.tally.untold,
            closedReporters: closed
        )
    }
}
