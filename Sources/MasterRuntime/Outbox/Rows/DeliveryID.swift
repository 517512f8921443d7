/// The name of a delivery for its receiver, the same on every try.
struct DeliveryID: Sendable, CustomStringConvertible {
    /// The name of the store.
    let store: String
    /// The row of the reporter.
    let reporter: Int
    /// The event that is reported.
    let event: Int
    /// Which of the reporter's generators made it.
    let part: Int

    /// The name as it is sent.
    var description: String { "msg_\(store)_\(reporter)_\(event)_\(part)" }
}
