/// Which deliveries are meant; without any condition all of them.
public struct DeliveryFilter: Sendable, Hashable {
    /// Those of these numbers.
    public var ids: [Int]?
    /// Those of this reporter.
    public var reporter: String?
    /// Those in one of these states.
    public var states: Set<DeliveryState>?
    /// Those about builds of this builder.
    public var builder: String?
    /// Those about builds of this number.
    public var buildNumber: Int?
    /// Those alone that can be sent again: whose report is kept and was tried before.
    var isRetryable = false

    /// Makes a filter.
    public init(
        ids: [Int]? = nil,
        reporter: String? = nil,
        states: Set<DeliveryState>? = nil,
        builder: String? = nil,
        buildNumber: Int? = nil
    ) {
        self.ids = ids
        self.reporter = reporter
        self.states = states
        self.builder = builder
        self.buildNumber = buildNumber
    }
}

/// How many deliveries of a reporter are in a state.
public struct DeliveryCount: Sendable, Hashable {
    /// The name of the reporter.
    public let reporter: String
    /// The state.
    public let state: DeliveryState
    /// Whether nothing is sent to the reporter's endpoint.
    public let isReporterClosed: Bool
    /// How many there are.
    public let count: Int
}
