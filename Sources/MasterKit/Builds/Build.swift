package import FoundationEssentials

/// One run of a builder's steps.
package struct Build: Sendable, Hashable {
    /// The row of the build in the store, unique over all builders.
    package var id: Int
    /// The number within its builder, from 1, going on over runs.
    package var number: Int
    /// The builder it belongs to.
    package var builderID: Int
    /// The request it fulfils.
    package var requestID: Int
    /// The worker it runs on.
    package var workerID: Int
    /// When it started.
    package var startedAt: Date
    /// When it finished, or `nil` if it is still running.
    package var completeAt: Date?
    /// Its outcome; `nil` while it runs.
    package var results: Results?
    /// What it does or how it went, in words.
    package var stateString: String
    /// Its properties.
    package var properties: Properties

    /// Makes a build.
    package init(
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
    package var json: JSONObject {
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
package struct StepRecord: Sendable, Hashable {
    /// The row of the step in the store.
    package var id: Int
    /// The position in the build, starting at 1.
    package var number: Int
    /// The build it belongs to.
    package var buildID: Int
    /// The name, unique in its build, at most 50 characters.
    package var name: String
    /// When it started, or `nil` if it is pending.
    package var startedAt: Date?
    /// When it finished, or `nil` if it has not.
    package var completeAt: Date?
    /// Its outcome; `nil` while it runs.
    package var results: Results?
    /// What it does or how it went, in words.
    package var stateString: String
    /// Whether it is left out of displays.
    package var isHidden: Bool

    /// The longest name a step may have, in characters.
    package static let maximumNameLength = 50

    /// Makes a step record.
    package init(
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
    package var json: JSONObject {
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
package struct Log: Sendable, Hashable {
    /// The row of the log in the store.
    package var id: Int
    /// The step it belongs to.
    package var stepID: Int
    /// The name, such as `stdio`.
    package var name: String
    /// The name as it stands in addresses, unique in its step.
    package var slug: String
    /// How its content is to be read.
    package var kind: LogKind
    /// Whether nothing will be added to it.
    package var isComplete: Bool
    /// The number of lines so far.
    package var lineCount: Int

    /// Makes a log.
    package init(
        id: Int, stepID: Int, name: String, slug: String, kind: LogKind, isComplete: Bool = false,
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
    package var json: JSONObject {
        [
            "logid": .int(id), "name": .string(name), "slug": .string(slug),
            "stepid": .int(stepID), "complete": .bool(isComplete),
            "num_lines": .int(lineCount), "type": .string(kind.rawValue),
        ]
    }
}

extension JSONValue {
    /// A text, or null.
    package static func optional(_ text: String?) -> JSONValue {
        text.map { .string($0) } ?? .null
    }

    /// A whole number, or null.
    package static func optional(_ number: Int?) -> JSONValue {
        number.map { .int($0) } ?? .null
    }

    /// A moment as the data API writes it: whole seconds since 1970, or null.
    package static func time(_ moment: Date?) -> JSONValue {
        guard let moment, let seconds = Int(exactly: moment.timeIntervalSince1970.rounded(.down))
        else { return .null }
        return .int(seconds)
    }
}
