/// What is fetched of a build for a report beside its record.
public struct BuildDetails: Sendable, Hashable {
    /// Which logs come with their content.
    public enum LogContents: Sendable, Hashable {
        /// None.
        case none
        /// All.
        case all
        /// Those of these names, as `log` or `step.log`.
        case named(Set<String>)
    }

    /// The build's properties; without them the record has an empty mapping.
    public var properties: Bool
    /// The build's steps.
    public var steps: Bool
    /// The logs of the steps; they bring the steps with them.
    public var logs: Bool
    /// The content of logs; it brings logs and steps with it.
    public var logContents: LogContents
    /// How the build before ended.
    public var previousResults: Bool

    /// Makes a choice.
    public init(
        properties: Bool = true, steps: Bool = false, logs: Bool = false,
        logContents: LogContents = .none, previousResults: Bool = false
    ) {
        self.properties = properties
        self.steps = steps
        self.logs = logs
        self.logContents = logContents
        self.previousResults = previousResults
    }

    /// Whether logs are fetched, for themselves or for their content.
    public var includesLogs: Bool { logs || logContents != .none }

    /// Whether steps are fetched, for themselves or for their logs.
    public var includesSteps: Bool { steps || includesLogs }

    /// What is wanted by either.
    public func union(_ other: BuildDetails) -> BuildDetails {
        BuildDetails(
            properties: properties || other.properties, steps: steps || other.steps,
            logs: logs || other.logs, logContents: logContents.union(other.logContents),
            previousResults: previousResults || other.previousResults)
    }
}

extension BuildDetails.LogContents {
    /// What is wanted by either.
    func union(_ other: Self) -> Self {
        switch (self, other) {
        case (.all, _), (_, .all): .all
        case (.none, let one), (let one, .none): one
        case (.named(let one), .named(let two)): .named(one.union(two))
        }
    }

    /// Whether the content of a log is wanted.
    public func contain(log: String, ofStep step: String) -> Bool {
        switch self {
        case .none: false
        case .all: true
        case .named(let names): names.contains(log) || names.contains("\(step).\(log)")
        }
    }
}
