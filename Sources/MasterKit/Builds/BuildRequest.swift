package import FoundationEssentials

/// A builder as known to the store: its name and description.
package struct Builder: Sendable, Hashable {
    /// The row id of the builder in the store; stable across restarts.
    package var id: Int
    /// The name, unique within a master.
    package var name: String
    package var description: String?
    /// Tags by which generators filter.
    package var tags: [String]

    package init(id: Int, name: String, description: String? = nil, tags: [String] = []) {
        self.id = id
        self.name = name
        self.description = description
        self.tags = tags
    }

    /// The builder in the data API's form.
    package var json: JSONObject {
        [
            "builderid": .int(id), "name": .string(name), "masterids": .array([1]),
            "description": .optional(description), "description_format": .null,
            "description_html": .null, "projectid": .null,
            "tags": .array(tags.map { .string($0) }),
        ]
    }
}

/// A request for one build of one builder, pending until it is claimed.
package struct BuildRequest: Sendable, Hashable {
    /// The row id of the request in the store.
    package var id: Int
    /// The buildset it belongs to.
    package var buildsetID: Int
    /// The builder that should build it.
    package var builderID: Int
    /// The priority; a higher one is built earlier.
    package var priority: Int
    /// When the request was submitted.
    package var submittedAt: Date
    /// When it was claimed by a master, or `nil` if pending.
    package var claimedAt: Date?
    /// When its last build finished.
    package var completeAt: Date?
    /// The result of its last build.
    package var results: Results?
    /// Whether another build waits for it, as a triggering step may.
    package var waitedFor: Bool

    package init(
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

    /// The request in the data API's form; `results` is -1 until the request is complete.
    package var json: JSONObject {
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

/// A set of build requests submitted together, for one reason.
package struct Buildset: Sendable, Hashable {
    /// The row id of the buildset in the store.
    package var id: Int
    /// The reason for submitting it.
    package var reason: String
    /// When it was submitted.
    package var submittedAt: Date
    /// When its last request finished.
    package var completeAt: Date?
    /// The worst result of its requests, once complete.
    package var results: Results?
    /// The source stamps of its builds.
    package var sourceStamps: [SourceStamp]
    /// The build that triggered it.
    package var parentBuildID: Int?
    /// Its relationship to that build.
    package var parentRelationship: String?
    /// The build that it rebuilds.
    package var rebuiltBuildID: Int?

    package init(
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

    /// The buildset in the data API's form; `results` is -1 until the buildset is complete.
    package var json: JSONObject {
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

/// A request for builds: which builders, which sources, and the reason.
public struct BuildsetRequest: Sendable {
    /// The names of the builders, or `nil` for all that do not require a trigger.
    public var builders: [String]?
    /// The reason for the builds.
    public var reason: String
    /// The sources to build.
    public var sourceStamps: [SourceStamp]
    /// Properties that override those in the file.
    public var properties: Properties
    /// The priority; a higher one is built earlier.
    public var priority: Int
    /// The build that submits the request.
    public var parentBuildID: Int?
    /// The relationship to that build, by default `Triggered from`.
    public var parentRelationship: String?
    /// The builders whose results do not decide the exit status of a run.
    public var unimportantBuilders: Set<String> = []
    /// The name of a triggered scheduler, whose builders, properties and priority then apply.
    public var scheduler: String?
    /// The build that it rebuilds.
    package var rebuiltBuildID: Int?

    /// Creates a request.
    public init(
        builders: [String]? = nil, reason: String, sourceStamps: [SourceStamp] = [SourceStamp()],
        properties: Properties = Properties(), priority: Int = 0, parentBuildID: Int? = nil,
        parentRelationship: String? = nil, scheduler: String? = nil
    ) {
        self.scheduler = scheduler
        self.builders = builders
        self.reason = reason
        self.sourceStamps = sourceStamps
        self.properties = properties
        self.priority = priority
        self.parentBuildID = parentBuildID
        self.parentRelationship = parentRelationship
    }
}

/// A stored buildset with its requests.
public struct Submission: Sendable, Hashable {
    package let buildset: Buildset
    package let requests: [BuildRequest]

    package init(buildset: Buildset, requests: [BuildRequest]) {
        self.buildset = buildset
        self.requests = requests
    }

    /// The id of the buildset, `bsid` in records.
    public var buildsetID: Int { buildset.id }

    /// The ids of the requests, `buildrequestid` in records: one per builder, in the order in which
    /// the builders were given.
    public var requestIDs: [Int] { requests.map(\.id) }
}
