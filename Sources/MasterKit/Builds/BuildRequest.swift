package import FoundationEssentials

/// A builder as the store knows it: what it is called and how it is described.
package struct Builder: Sendable, Hashable {
    /// The row of the builder in the store; stays the same over runs.
    package var id: Int
    /// The name, unique in a master.
    package var name: String
    /// A description.
    package var description: String?
    /// Labels that generators filter by.
    package var tags: [String]

    /// Makes a builder.
    package init(id: Int, name: String, description: String? = nil, tags: [String] = []) {
        self.id = id
        self.name = name
        self.description = description
        self.tags = tags
    }

    /// The data API's form.
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
    /// The row of the request in the store.
    package var id: Int
    /// The buildset it belongs to.
    package var buildsetID: Int
    /// The builder that is to build it.
    package var builderID: Int
    /// Higher is earlier.
    package var priority: Int
    /// When the request was submitted.
    package var submittedAt: Date
    /// When a master took it; `nil` while pending.
    package var claimedAt: Date?
    /// When its last build finished.
    package var completeAt: Date?
    /// The result of its last build.
    package var results: Results?
    /// Whether somebody waits for it, as a triggering step may.
    package var waitedFor: Bool

    /// Makes a build request.
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

    /// The data API's form; `results` is -1 while the request is not complete.
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

/// A set of build requests that were submitted together, for one reason.
package struct Buildset: Sendable, Hashable {
    /// The row of the buildset in the store.
    package var id: Int
    /// Why it was submitted, in words.
    package var reason: String
    /// When it was submitted.
    package var submittedAt: Date
    /// When its last request finished.
    package var completeAt: Date?
    /// The worst result of its requests, once complete.
    package var results: Results?
    /// The sources its builds are made of.
    package var sourceStamps: [SourceStamp]
    /// The build that triggered it.
    package var parentBuildID: Int?
    /// How it is related to that build.
    package var parentRelationship: String?
    /// The build that it repeats.
    package var rebuiltBuildID: Int?

    /// Makes a buildset.
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

    /// The data API's form; `results` is -1 while the buildset is not complete.
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

/// A request for builds: of which builders, of which source, and why.
public struct BuildsetRequest: Sendable {
    /// The builders, by name; `nil` for all that need no trigger.
    public var builders: [String]?
    /// Why, in words.
    public var reason: String
    /// What is to be built.
    public var sourceStamps: [SourceStamp]
    /// Properties that win over those of the file.
    public var properties: Properties
    /// Higher is built earlier.
    public var priority: Int
    /// The build that asks for it.
    public var parentBuildID: Int?

    /// Makes a request.
    public init(
        builders: [String]? = nil, reason: String, sourceStamps: [SourceStamp] = [SourceStamp()],
        properties: Properties = Properties(), priority: Int = 0, parentBuildID: Int? = nil
    ) {
        self.builders = builders
        self.reason = reason
        self.sourceStamps = sourceStamps
        self.properties = properties
        self.priority = priority
        self.parentBuildID = parentBuildID
    }
}

/// A buildset that has been stored, with its requests.
public struct Submission: Sendable, Hashable {
    package let buildset: Buildset
    package let requests: [BuildRequest]

    package init(buildset: Buildset, requests: [BuildRequest]) {
        self.buildset = buildset
        self.requests = requests
    }

    /// The buildset's id, as `bsid` in records.
    public var buildsetID: Int { buildset.id }

    /// The ids of the requests, as `buildrequestid` in records: one for each builder, in the order in
    /// which the builders were given.
    public var requestIDs: [Int] { requests.map(\.id) }
}
