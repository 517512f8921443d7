public import FoundationEssentials

/// A delivery as it stands in the store.
public struct DeliveryRecord: Sendable, Hashable {
    /// The row, by which people name it.
    public let id: Int
    /// The name of the reporter.
    public let reporter: String
    /// What is reported: `linux #3 success`, `linux #3 compile started`, `linux request 7 new`.
    public let subject: String
    /// What has become of it.
    public let state: DeliveryState
    /// How often it was tried.
    public let attempts: Int
    /// The status of the last answer.
    public let status: Int?
    /// When its schedule began: when it was made, or was last asked to be sent again.
    public let since: Date
    /// When it is to be tried again while the program runs.
    public let nextTry: Date?
    /// Why it was not delivered, in a sentence.
    public let error: String?
    /// The event that is reported, such as `build.finished`; `nil` when it is no longer kept.
    public let event: String?
    /// The builder of the build that it is about.
    public let builder: String?
    /// The number of that build.
    public let buildNumber: Int?
    /// How large the report is that is kept, in bytes.
    public let byteCount: Int
}
