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
