/// Which deliveries are meant; without any condition all of them.
public struct DeliveryFilter: Sendable, Hashable {
    /// Those of this reporter.
    public var reporter: String?
    /// Those in one of these states.
    public var states: Set<DeliveryState>?
    /// Those about builds of this builder.
    public var builder: String?
    /// Those about builds of this number.
    public var buildNumber: Int?

    /// Makes a filter.
    public init(
        reporter: String? = nil,
        states: Set<DeliveryState>? = nil,
        builder: String? = nil,
        buildNumber: Int? = nil
    ) {
        self.reporter = reporter
        self.states = states
        self.builder = builder
        self.buildNumber = buildNumber
    }
}
