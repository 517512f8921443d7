/// What has become of a delivery, as it stands in its row.
public enum DeliveryState: String, Sendable, Hashable, CaseIterable {
    /// It is to be sent.
    case open
    /// The receiver has it.
    case delivered
    /// It is not sent any more.
    case dead
    /// Its reporter is not configured at present.
    case parked
    /// No generator made a report of the event.
    case nothing
}
