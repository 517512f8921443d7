public import MasterKit

/// How much is kept for receivers that are away.
public struct DeliveryBounds: Sendable, Hashable {
    /// How many bytes all reports together may have.
    public var maxBytes: ByteCount
    /// How old a report may get, from when it was made.
    public var maxAge: Duration

    /// Makes bounds.
    public init(
        maxBytes: ByteCount = ByteCount(256 << 20),
        maxAge: Duration = .seconds(30 * 24 * 3600)
    ) {
        self.maxBytes = maxBytes
        self.maxAge = maxAge
    }
}
