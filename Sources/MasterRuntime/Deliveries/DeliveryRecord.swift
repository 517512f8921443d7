public import FoundationEssentials
public import MasterKit

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

/// How the deliveries stand at the end of a run.
public struct DeliverySummary: Sendable {
    /// How many deliveries are listed at most.
    public static let listLimit = 40

    /// The deliveries of the run, those that it tried, and all that wait; of more than
    /// ``listLimit`` the first of those that have not arrived.
    public var deliveries: [DeliveryStatus] = []
    /// How many reports arrived in this run.
    public var deliveredCount = 0
    /// How many wait to be sent.
    public var openCount = 0
    /// How many wait for reporters that are not configured at present.
    public var parkedCount = 0
    /// How many were given up in this run.
    public var deadCount = 0
    /// How many events no report was made of yet.
    public var unreportedCount = 0
    /// Reports that were given up and that no earlier summary told of, by reporter and reason.
    public var givenUp: [GivenUpReports] = []
    /// How many others there were.
    public var otherGivenUpCount = 0
    /// The reporters of the file whose endpoints are closed.
    public var closedReporters: [ReporterRecord] = []

    /// How many deliveries there are in all, listed or not.
    public var totalCount: Int { deliveredCount + openCount + parkedCount + deadCount }
}

/// Reports of one reporter that were given up for the same reason.
public struct GivenUpReports: Sendable, Hashable {
    /// The name of the reporter.
    public let reporter: String
    /// Why, in a sentence.
    public let reason: String
    /// How many.
    public let count: Int
}

/// A reporter as the store knows it.
public struct ReporterRecord: Sendable, Hashable {
    /// The name.
    public let name: String
    /// When its endpoint said that it is gone for good; `nil` while it is open.
    public let closedAt: Date?
    /// What it said.
    public let closedReason: String?
}
