public import FoundationEssentials

/// A step of a build as it is stored and reported.
public struct StepRecord: Sendable, Hashable {
    /// The row of the step in the store.
    public var id: Int
    /// The position in the build, from 1.
    public var number: Int
    /// The build it belongs to.
    public var buildID: Int
    /// The name, unique in its build, at most 50 characters.
    public var name: String
    /// When it started; `nil` while pending.
    public var startedAt: Date?
    /// When it finished.
    public var completeAt: Date?
    /// Its outcome; `nil` while it runs.
    public var results: Results?
    /// What it does or how it went, in words.
    public var stateString: String
    /// Whether it is left out of displays.
    public var isHidden: Bool

    /// The longest name a step may have, in characters.
    public static let maximumNameLength = 50

    /// Makes a step record.
    public init(
        id: Int, number: Int, buildID: Int, name: String, startedAt: Date? = nil,
        completeAt: Date? = nil, results: Results? = nil, stateString: String = "pending",
        isHidden: Bool = false
    ) {
        self.id = id
        self.number = number
        self.buildID = buildID
        self.name = name
        self.startedAt = startedAt
        self.completeAt = completeAt
        self.results = results
        self.stateString = stateString
        self.isHidden = isHidden
    }

    /// The data API's form.
    public var json: JSONObject {
        [
            "stepid": .int(id), "number": .int(number), "name": .string(name),
            "buildid": .int(buildID), "started_at": .time(startedAt),
            "locks_acquired_at": .time(startedAt), "complete": .bool(completeAt != nil),
            "complete_at": .time(completeAt), "state_string": .string(stateString),
            "results": .optional(results?.rawValue), "urls": .array([]),
            "hidden": .bool(isHidden),
        ]
    }
}
