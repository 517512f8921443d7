public import FoundationEssentials

/// One run of a builder's steps.
public struct Build: Sendable, Hashable {
    /// The row of the build in the store, unique over all builders.
    public var id: Int
    /// The number within its builder, from 1, going on over runs.
    public var number: Int
    /// The builder it belongs to.
    public var builderID: Int
    /// The request it fulfils.
    public var requestID: Int
    /// The worker it runs on.
    public var workerID: Int
    /// When it started.
    public var startedAt: Date
    /// When it finished; `nil` while it runs.
    public var completeAt: Date?
    /// Its outcome; `nil` while it runs.
    public var results: Results?
    /// What it does or how it went, in words.
    public var stateString: String
    /// Its properties.
    public var properties: Properties

    /// Makes a build.
    public init(
        id: Int, number: Int, builderID: Int, requestID: Int, workerID: Int, startedAt: Date,
        completeAt: Date? = nil, results: Results? = nil, stateString: String = "starting",
        properties: Properties = Properties()
    ) {
        self.id = id
        self.number = number
        self.builderID = builderID
        self.requestID = requestID
        self.workerID = workerID
        self.startedAt = startedAt
        self.completeAt = completeAt
        self.results = results
        self.stateString = stateString
        self.properties = properties
    }

    /// The data API's form of the build alone, without what surrounds it.
    public var json: JSONObject {
        [
            "buildid": .int(id), "number": .int(number), "builderid": .int(builderID),
            "buildrequestid": .int(requestID), "workerid": .int(workerID), "masterid": 1,
            "started_at": .time(startedAt), "complete_at": .time(completeAt),
            "locks_duration_s": 0, "complete": .bool(completeAt != nil),
            "state_string": .string(stateString), "results": .optional(results?.rawValue),
            "properties": .object(properties.json),
        ]
    }
}
