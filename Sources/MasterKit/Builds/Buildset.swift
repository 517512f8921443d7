public import FoundationEssentials

/// A set of build requests that were submitted together, for one reason.
public struct Buildset: Sendable, Hashable {
    /// The row of the buildset in the store.
    public var id: Int
    /// Why it was submitted, in words.
    public var reason: String
    /// When it was submitted.
    public var submittedAt: Date
    /// When its last request finished.
    public var completeAt: Date?
    /// The worst result of its requests, once complete.
    public var results: Results?
    /// The sources its builds are made of.
    public var sourceStamps: [SourceStamp]
    /// The build that triggered it.
    public var parentBuildID: Int?
    /// How it is related to that build.
    public var parentRelationship: String?
    /// The build that it repeats.
    public var rebuiltBuildID: Int?

    /// Makes a buildset.
    public init(
        id: Int, reason: String, submittedAt: Date, completeAt: Date? = nil,
        results: Results? = nil, sourceStamps: [SourceStamp] = [], parentBuildID: Int? = nil,
        parentRelationship: String? = nil, rebuiltBuildID: Int? = nil
    ) {
        self.id = id
        self.reason = reason
        self.submittedAt = submittedAt
        self.completeAt = completeAt
        self.results = results
        self.sourceStamps = sourceStamps
        self.parentBuildID = parentBuildID
        self.parentRelationship = parentRelationship
        self.rebuiltBuildID = rebuiltBuildID
    }

    /// The data API's form; `results` is -1 while the buildset is not complete.
    public var json: JSONObject {
        [
            "bsid": .int(id), "external_idstring": .null, "reason": .string(reason),
            "submitted_at": .time(submittedAt), "complete": .bool(completeAt != nil),
            "complete_at": .time(completeAt), "results": .int(results?.rawValue ?? -1),
            "parent_buildid": .optional(parentBuildID),
            "parent_relationship": .optional(parentRelationship),
            "rebuilt_buildid": .optional(rebuiltBuildID),
            "sourcestamps": .array(sourceStamps.map { .object($0.json) }),
        ]
    }
}
