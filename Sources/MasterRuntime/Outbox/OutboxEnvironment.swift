import Logging
import MasterHTTP
import MasterKit

/// What all parts of an outbox work with.
struct OutboxEnvironment: Sendable {
    /// Where events are read and deliveries are kept.
    let store: Store
    /// What begins the id of every delivery.
    let storeID: String
    /// The title and address of the master.
    let identity: MasterIdentity
    /// What reporters' settings refer to.
    let secrets: SecretValues
    /// What hides secrets.
    let mask: SecretMask
    /// What sends requests.
    let http: HTTPClient
    /// Where faults are said.
    let logger: Logger
    /// The time.
    let clock: OutboxClock
    /// When a failed try is repeated.
    let schedule: RetrySchedule
    /// How much is kept for how long.
    var bounds = DeliveryBounds()
    /// What has become of reports in this run.
    let tally = DeliveryTally()
    /// Raised whenever something has come to an end.
    let changed = Signal()
}

extension OutboxEnvironment {
    /// What a reporter sees while it sends.
    func context(
        for recipient: Recipient,
        id: DeliveryID,
        attempt: Int
    ) -> DeliveryContext {
        DeliveryContext(
            id: "\(id)",
            attempt: attempt,
            logger: logger,
            secrets: secrets,
            mask: mask,
            http: http,
            session: recipient.session
        )
    }
}
