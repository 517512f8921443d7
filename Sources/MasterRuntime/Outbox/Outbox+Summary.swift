import MasterKit

extension Outbox {
    /// How the deliveries of this run stand, and those of earlier runs that it took up or that
    /// still wait, in the order of their events.
    public func summary() async throws(StoreError) -> DeliverySummary {
        let receivers = sendings.reduce(into: [Int: String]()) { receivers, sending in
            receivers[sending.recipient.id] = sending.receiver
        }
        let names = Set(sendings.map(\.recipient.name))
        let (sequence, moment) = (lastOfEarlierRuns, openedAt)
        return try await environment.store.read { database in
            DeliverySummary(
                deliveries: try database.deliveries(
                    after: sequence,
                    triedSince: moment,
                    receivers: receivers
                ),
                closedReporters: try database.reporters().filter { reporter in
                    reporter.closedAt != nil && names.contains(reporter.name)
                },
                deadCount: try database.deadLetterCount()
            )
        }
    }
}
