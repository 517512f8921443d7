package import FoundationEssentials

/// One run of a builder's steps.
package struct Build: Sendable, Hashable {
    /// The row id of the build in the store, unique across all builders.
    package var id: Int
    /// The build number within its builder, starting at 1 and continuing across restarts.
    package var number: Int
    /// The builder it belongs to.
    package var builderID: Int
    /// The request it fulfills.
    package var requestID: Int
    /// The worker it runs on.
    package var workerID: Int
    /// When it started.
    package var startedAt: Date
    /// When it finished, or `nil` if it is still running.
    package var completeAt: Date?
    /// The result, or `nil` if not finished.
    package var results: Results?
    /// A description of what it is doing or how it ended.
    package var stateString: String
    package var properties: Properties
    /// How long its steps have waited for locks.
    package var locksDuration: Duration = .zero

    package init(
        id: Int, number: Int, builderID: Int, requestID: Int, workerID: Int, startedAt: Date,
        completeAt: Date? = nil, results: Results? = nil, stateString: String = "starting",
        properties: Properties = Properties(), locksDuration: Duration = .zero
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
        self.locksDuration = locksDuration
    }

    /// The build in the data API's form, without related records.
    package var json: JSONObject {
        [
            "buildid": .int(id), "number": .int(number), "builderid": .int(builderID),
            "buildrequestid": .int(requestID), "workerid": .int(workerID), "masterid": 1,
            "started_at": .time(startedAt), "complete_at": .time(completeAt),
            "locks_duration_s": .int(Int(locksDuration.components.seconds)),
            "complete": .bool(completeAt != nil),
            "state_string": .string(stateString), "results": .optional(results?.rawValue),
            "properties": .object(properties.json),
        ]
    }
}

/// A step of a build as stored and reported.
package struct StepRecord: Sendable, Hashable {
    /// The row id of the step in the store.
    package var id: Int
    /// The position in the build, starting at 1.
    package var number: Int
    /// The build it belongs to.
    package var buildID: Int
    /// The name, unique in its build, at most 50 characters.
    package var name: String
    /// When it started, or `nil` if it is pending.
    package var startedAt: Date?
    /// When it finished, or `nil` if not finished.
    package var completeAt: Date?
    /// The result, or `nil` if not finished.
    package var results: Results?
    /// A description of what it is doing or how it ended.
    package var stateString: String
    /// Whether it is hidden in displays.
    package var isHidden: Bool
    /// When it held all of its locks, or `nil` if it is pending or waits for one.
    package var locksAcquiredAt: Date?
    /// Its links.
    package var urls: [StepURL] = []

    /// The maximum length of a step's name, in characters.
    package static let maximumNameLength = 50

    package init(
        id: Int, number: Int, buildID: Int, name: String, startedAt: Date? = nil,
        completeAt: Date? = nil, results: Results? = nil, stateString: String = "pending",
        isHidden: Bool = false, locksAcquiredAt: Date? = nil, urls: [StepURL] = []
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
        self.locksAcquiredAt = locksAcquiredAt
        self.urls = urls
    }

    /// The step in the data API's form.
    package var json: JSONObject {
        [
            "stepid": .int(id), "number": .int(number), "name": .string(name),
            "buildid": .int(buildID), "started_at": .time(startedAt),
            "locks_acquired_at": .time(locksAcquiredAt), "complete": .bool(completeAt != nil),
            "complete_at": .time(completeAt), "state_string": .string(stateString),
            "results": .optional(results?.rawValue), "urls": .array(urls.map { .object($0.json) }),
            "hidden": .bool(isHidden),
        ]
    }
}

/// A link attached to a step.
package struct StepURL: Sendable, Hashable {
    /// The text of the link.
    package let name: String
    /// The address.
    package let url: String

    package init(name: String, url: String) {
        self.name = name
        self.url = url
    }

    /// The link in the data API's form.
    package var json: JSONObject { ["name": .string(name), "url": .string(url)] }
}

/// A log of a step: its metadata, without its content.
package struct Log: Sendable, Hashable {
    /// The row id of the log in the store.
    package var id: Int
    /// The step it belongs to.
    package var stepID: Int
    /// The name, such as `stdio`.
    package var name: String
    /// The name as used in URLs, unique within its step.
    package var slug: String
    /// The format of its content.
    package var kind: LogKind
    /// Whether the log is finished.
    package var isComplete: Bool
    /// The number of lines so far.
    package var lineCount: Int

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

    /// The log in the data API's form.
    package var json: JSONObject {
        [
            "logid": .int(id), "name": .string(name), "slug": .string(slug),
            "stepid": .int(stepID), "complete": .bool(isComplete),
            "num_lines": .int(lineCount), "type": .string(kind.rawValue),
        ]
    }
}

extension JSONValue {
    /// A string, or null.
    package static func optional(_ text: String?) -> JSONValue {
        text.map { .string($0) } ?? .null
    }

    /// An integer, or null.
    package static func optional(_ number: Int?) -> JSONValue {
        number.map { .int($0) } ?? .null
    }

    /// A time in the data API's form: whole seconds since 1970, or null.
    package static func time(_ moment: Date?) -> JSONValue {
        guard let moment, let seconds = Int(exactly: moment.timeIntervalSince1970.rounded(.down))
        else { return .null }
        return .int(seconds)
    }
}
