package import MasterKit

/// The limits on what is stored for receivers that are unavailable.
package struct DeliveryBounds: Sendable, Hashable {
    /// The maximum total size of all reports.
    package var maxBytes: ByteCount
    /// The maximum age of a report since it was created.
    package var maxAge: Duration

    /// Creates limits.
    package init(
        maxBytes: ByteCount = ByteCount(256 << 20), maxAge: Duration = .seconds(30 * 24 * 3600)
    ) {
        self.maxBytes = maxBytes
        self.maxAge = maxAge
    }
}

/// What the log has said of expired reports.
struct ExpiryNotes: Sendable {
    /// When it last did, since the master started.
    var toldAt: Duration?
    /// How many have expired since.
    var untoldCount = 0
}
