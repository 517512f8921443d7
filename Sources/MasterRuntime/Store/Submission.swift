public import MasterKit

/// A buildset that has been stored, with its requests.
public struct Submission: Sendable, Hashable {
    /// The buildset.
    public let buildset: Buildset
    /// A request for each builder, in the order in which the builders were given.
    public let requests: [BuildRequest]
}
