public import FoundationEssentials
public import MasterKit

/// All that is known of a delivery.
public struct DeliveryDetails: Sendable, Hashable {
    /// The delivery.
    public let record: DeliveryRecord
    /// Its name for the receiver, the same on every try.
    public let webhookID: String
    /// The body of each request; `nil` when it is not kept any more.
    public let body: Report.Body?
    /// The newest tries, in order.
    public let tries: [DeliveryTry]
}

/// One try of a delivery.
public struct DeliveryTry: Sendable, Hashable {
    /// Which try it was, from 1.
    public let number: Int
    /// When it began.
    public let at: Date
    /// How long it took.
    public let duration: Duration
    /// The status of the answer, when there was one.
    public let status: Int?
    /// Why the report was not delivered.
    public let error: String?
    /// The beginning of the answer's text.
    public let answer: String?
}
