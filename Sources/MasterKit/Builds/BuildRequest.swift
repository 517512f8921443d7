public import FoundationEssentials

/// A wish for one build of one builder, pending until it is claimed.
public struct BuildRequest: Sendable, Hashable {
    /// The row of the request in the store.
    public var id: Int
    /// The buildset it belongs to.
    public var buildsetID: Int
    /// The builder that is to build it.
    public var builderID: Int
    /// Higher is earlier.
    public var priority: Int
    /// When the request was submitted.
    public var submittedAt: Date
    /// When a master took it; `nil` while pending.
    public var claimedAt: Date?
    /// When its last build finished.
    public var completeAt: Date?
    /// The result of its last build.
    public var results: Results?
    /// Whether somebody waits for it, as a triggering step may.
    public var waitedFor: Bool

    /// Makes a build request.
    public init(
        id: Int, buildsetID: Int, builderID: Int, priority: Int = 0, submittedAt: Date,
        claimedAt: Date? = nil, completeAt: Date? = nil, results: Results? = nil,
        waitedFor: Bool = false
    ) {
        self.id = id
        self.buildsetID = buildsetID
        self.builderID = builderID
        self.priority = priority
        self.submittedAt = submittedAt
        self.claimedAt = claimedAt
        self.completeAt = completeAt
        self.results = results
        self.waitedFor = waitedFor
    }

    /// The data API's form; `results` is -1 while the request is not complete.
    public var json: JSONObject {
        [
            "buildrequestid": .int(id), "buildsetid": .int(buildsetID),
            "builderid": .int(builderID), "priority": .int(priority),
            "claimed": .bool(claimedAt != nil), "claimed_at": .time(claimedAt),
            "claimed_by_masterid": claimedAt == nil ? .null : 1,
            "complete": .bool(completeAt != nil), "results": .int(results?.rawValue ?? -1),
            "submitted_at": .time(submittedAt), "complete_at": .time(completeAt),
            "waited_for": .bool(waitedFor), "properties": .null,
        ]
    }
}
