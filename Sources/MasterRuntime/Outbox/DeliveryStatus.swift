public import FoundationEssentials

/// How a delivery stands, for people.
public struct DeliveryStatus: Sendable, Hashable {
    /// The row of the delivery.
    public let id: Int
    /// The name of the reporter.
    public let reporter: String
    /// What is reported: `default #3 started`, `default #3 success`.
    public let subject: String
    /// The address that was asked, without user and password; `nil` when none was in this run.
    public let receiver: String?
    /// What has become of it.
    public let state: DeliveryState
    /// The status of the last answer.
    public let status: Int?
    /// How often it was tried.
    public let attempts: Int
    /// When it is to be tried again; `nil` for one that is not.
    public let nextTry: Date?
    /// Why it was not delivered, in a sentence.
    public let error: String?
    /// Whether an earlier run left it behind.
    public let isFromEarlierRun: Bool
}
