/// How the deliveries stand at the end of a run.
public struct DeliverySummary: Sendable {
    /// The deliveries of the run, those that it tried, and all that wait.
    public let deliveries: [DeliveryStatus]
    /// The reporters of the file whose endpoints are closed.
    public let closedReporters: [ReporterRecord]
    /// How many dead letters are kept, those of earlier runs too.
    public let deadCount: Int

    /// Makes a summary.
    public init(
        deliveries: [DeliveryStatus],
        closedReporters: [ReporterRecord] = [],
        deadCount: Int = 0
    ) {
        self.deliveries = deliveries
        self.closedReporters = closedReporters
        self.deadCount = deadCount
    }
}
