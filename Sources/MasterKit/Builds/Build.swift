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
    /// When it finished, or `nil` if it is still running.
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

/// A step of a build as it is stored and reported.
public struct StepRecord: Sendable, Hashable {
    /// The row of the step in the store.
    public var id: Int
    /// The position in the build, starting at 1.
    public var number: Int
    /// The build it belongs to.
    public var buildID: Int
    /// The name, unique in its build, at most 50 characters.
    public var name: String
    /// When it started, or `nil` if it is pending.
    public var startedAt: Date?
    /// When it finished, or `nil` if it has not.
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

/// A log of a step: what is known of it besides its content.
public struct Log: Sendable, Hashable {
    /// How the content of a log is to be read.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// Lines, each marked as standard output `o`, standard error `e` or header `h`.
        case stream = "s"
        /// Plain text.
        case text = "t"
        /// A page of HTML.
        case html = "h"
    }

    /// The row of the log in the store.
    public var id: Int
    /// The step it belongs to.
    public var stepID: Int
    /// The name, such as `stdio`.
    public var name: String
    /// The name as it stands in addresses, unique in its step.
    public var slug: String
    /// How its content is to be read.
    public var kind: Kind
    /// Whether nothing will be added to it.
    public var isComplete: Bool
    /// The number of lines so far.
    public var lineCount: Int

    /// Makes a log.
    public init(
        id: Int, stepID: Int, name: String, slug: String, kind: Kind, isComplete: Bool = false,
        lineCount: Int = 0
    ) {
        self.id = id
        self.stepID = stepID
        self.name = name
        self.slug = slug
        self.kind = kind
        self.isComplete = isComplete
        self.lineCount = lineCount
    }

    /// The data API's form.
    public var json: JSONObject {
        [
            "logid": .int(id), "name": .string(name), "slug": .string(slug),
            "stepid": .int(stepID), "complete": .bool(isComplete),
            "num_lines": .int(lineCount), "type": .string(kind.rawValue),
        ]
    }
}

extension JSONValue {
    /// A text, or null.
    public static func optional(_ text: String?) -> JSONValue {
        text.map { .string($0) } ?? .null
    }

    /// A whole number, or null.
    public static func optional(_ number: Int?) -> JSONValue {
        number.map { .int($0) } ?? .null
    }

    /// A moment as the data API writes it: whole seconds since 1970, or null.
    public static func time(_ moment: Date?) -> JSONValue {
        guard let moment, let seconds = Int(exactly: moment.timeIntervalSince1970.rounded(.down))
        else { return .null }
        return .int(seconds)
    }
}
