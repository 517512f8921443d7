public import FoundationEssentials
public import MasterKit

/// A delivery as stored.
public struct DeliveryRecord: Sendable, Hashable {
    /// The id, by which users refer to it.
    public let id: Int
    /// The name of the reporter.
    public let reporter: String
    /// The subject of the report: `linux #3 success`, `linux #3 compile started`, `linux request 7
    /// new`.
    public let subject: String
    /// The state.
    public let state: DeliveryState
    /// The number of attempts.
    public let attempts: Int
    /// The HTTP status of the last response.
    public let status: Int?
    /// When its retry schedule began: when it was created, or last scheduled for a retry by a user.
    public let since: Date
    /// When it is retried next, if the program is running.
    public let nextTry: Date?
    /// Why it was not delivered.
    public let error: String?
    /// The kind of event, such as `build.finished`; `nil` if the event is no longer stored.
    public let event: String?
    /// The builder of the build that it is about.
    public let builder: String?
    /// The number of that build.
    public let buildNumber: Int?
    /// The size of the stored report in bytes.
    public let byteCount: Int
}

/// The status of a delivery, to be shown to users.
public struct DeliveryStatus: Sendable, Hashable {
    /// The id of the delivery.
    public let id: Int
    /// The name of the reporter.
    public let reporter: String
    /// The subject of the report: `default #3 started`, `default #3 success`.
    public let subject: String
    /// The URL of the receiver, without user and password; `nil` if it was not contacted in this
    /// run.
    public let receiver: String?
    /// The state.
    public let state: DeliveryState
    /// The HTTP status of the last response.
    public let status: Int?
    /// The number of attempts.
    public let attempts: Int
    /// When it is retried next; `nil` if it is not.
    public let nextTry: Date?
    /// Why it was not delivered.
    public let error: String?
    /// Whether it is left over from an earlier run.
    public let isFromEarlierRun: Bool
}

/// All details of a delivery.
public struct DeliveryDetails: Sendable, Hashable {
    /// The delivery.
    public let record: DeliveryRecord
    /// Its id for the receiver, the same for every attempt.
    public let webhookID: String
    /// The body of each request; `nil` if it is no longer stored.
    public let body: Report.Body?
    /// The latest attempts, in order.
    public let tries: [DeliveryTry]
}

/// One attempt of a delivery.
public struct DeliveryTry: Sendable, Hashable {
    /// The number of the attempt, from 1.
    public let number: Int
    /// When it began.
    public let at: Date
    /// How long it took.
    public let duration: Duration
    /// The HTTP status of the response, if there was one.
    public let status: Int?
    /// Why the report was not delivered.
    public let error: String?
    /// The beginning of the response body.
    public let answer: String?
}

/// A summary of the deliveries at the end of a run.
public struct DeliverySummary: Sendable {
    /// The maximum number of listed deliveries.
    public static let listLimit = 40

    /// The deliveries of the run, those that it attempted, and all pending ones; if there are more
    /// than ``listLimit``, the first undelivered ones.
    public var deliveries: [DeliveryStatus] = []
    /// The number of reports delivered in this run.
    public var deliveredCount = 0
    /// The number of reports still to be sent.
    public var openCount = 0
    /// The number of reports parked for reporters that are not configured.
    public var parkedCount = 0
    /// The number of reports given up in this run.
    public var deadCount = 0
    /// The number of events whose reports have not been generated yet.
    public var unreportedCount = 0
    /// Reports that were given up and are not in an earlier summary, by reporter and reason.
    public var givenUp: [GivenUpReports] = []
    /// The number of further such reports.
    public var otherGivenUpCount = 0
    /// The configured reporters whose endpoints are closed.
    public var closedReporters: [ReporterRecord] = []

    /// The total number of deliveries, listed or not.
    public var totalCount: Int { deliveredCount + openCount + parkedCount + deadCount }
}

/// Reports of one reporter that were given up for the same reason.
public struct GivenUpReports: Sendable, Hashable {
    /// The name of the reporter.
    public let reporter: String
    /// The reason, as a sentence.
    public let reason: String
    /// The number of reports.
    public let count: Int
}

/// A reporter as stored.
public struct ReporterRecord: Sendable, Hashable {
    /// The name.
    public let name: String
    /// When its endpoint was reported as permanently gone; `nil` while it is open.
    public let closedAt: Date?
    /// The reason given by the endpoint.
    public let closedReason: String?
}
