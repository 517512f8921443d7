public import FoundationEssentials

/// A reporter as the store knows it.
public struct ReporterRecord: Sendable, Hashable {
    /// The name.
    public let name: String
    /// When its endpoint said that it is gone for good; `nil` while it is open.
    public let closedAt: Date?
    /// What it said.
    public let closedReason: String?
}
