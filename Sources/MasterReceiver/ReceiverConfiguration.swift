/// Where a receiver listens and how it answers.
public struct ReceiverConfiguration: Sendable, Hashable {
    /// The most bytes a body may have unless the configuration says otherwise: 64 MiB.
    public static let defaultBodyLimit = 64 << 20

    /// The status codes a receiver can be told to answer with.
    public static let statuses = 200...599

    /// Where it listens.
    public var address: ReceiverAddress
    /// The status code of its answers.
    public var status: Int
    /// How long it waits before it answers.
    public var delay: Duration
    /// The most bytes a body may have; a larger one is answered with 413.
    public var bodyLimit: Int

    /// Makes a configuration.
    ///
    /// - Precondition: `status` is one of ``statuses``.
    public init(
        address: ReceiverAddress = ReceiverAddress(),
        status: Int = 200,
        delay: Duration = .zero,
        bodyLimit: Int = ReceiverConfiguration.defaultBodyLimit
    ) {
        precondition(Self.statuses.contains(status), "a receiver answers with 200 to 599")
        self.address = address
        self.status = status
        self.delay = delay
        self.bodyLimit = bodyLimit
    }
}
