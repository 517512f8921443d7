import MasterKit

extension Outbox {
    /// How the deliveries of this run stand, and those of earlier runs that it took up or that
    /// still wait, in the order of their events.
    public func summary() async throws(StoreError) -> [DeliveryStatus] {
        let receivers = sendings.reduce(into: [Int: String]()) { receivers, sending in
            receivers[sending.recipient.id] = sending.receiver
        }
        let (sequence, moment) = (lastOfEarlierRuns, openedAt)
        return try await environment.store.read { database in
            try database.deliveries(
                after: sequence,
                triedSince: moment,
                receivers: receivers
            )
        }
    }
}
