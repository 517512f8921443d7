/// Formats the message of a report: its body and its subject.
///
/// ```swift
/// /// One line about a build.
/// struct OneLine: MessageFormatter {
///     static let summary = "One line about a build."
///
///     func format(_ topic: ReportTopic) -> Message {
///         Message(.plain("\(topic.builderName ?? "all"): \(Results.text(topic.results))"))
///     }
/// }
/// ```
///
/// In a file it stands as `message_formatter: formatters.OneLine` at a generator.
public protocol MessageFormatter: Plugin where Options == NoOptions {
    /// What must be known of a build beside its record.
    var wanted: BuildDetails { get }

    /// Makes the message about a topic.
    ///
    /// Called once for each report, outside of every build; calls for different build requests may
    /// be under way at once.
    /// - Throws: An error with a sentence for people; the report is then kept as dead, with it.
    func format(_ topic: ReportTopic) async throws -> Message
}

extension MessageFormatter {
    /// The namespace `formatters`.
    public static var namespace: PluginNamespace { PluginKind.formatters.namespace }

    /// Properties, and nothing else beside the record.
    public var wanted: BuildDetails { BuildDetails() }
}

extension PluginKind<any MessageFormatter, NoOptions> {
    /// Message formatters.
    public static var formatters: Self { Self("formatters") }
}

/// What a formatter makes: the message of a report.
public struct Message: Sendable, Hashable {
    /// The body.
    public var body: Report.Body
    /// A subject; `nil` for the default one.
    public var subject: String?
    /// What a reporter of a certain kind is to know beside the body: its name → settings of it.
    public var extraInfo: JSONObject
    /// What stands in the body in place of secrets until it is sent, with their names.
    public var secretMarks: [String: String] = [:]

    /// Returns the message.
    public init(_ body: Report.Body, subject: String? = nil, extraInfo: JSONObject = [:]) {
        self.body = body
        self.subject = subject
        self.extraInfo = extraInfo
    }
}

/// The record of what is reported, as the data API gives it, as JSON.
///
/// A build comes with its request, buildset and builder; a step with its build; a request with its
/// builder and buildset; a buildset with its builds.
public struct RecordFormatter: MessageFormatter {
    /// What the formatter does.
    public static let summary = "The record of what is reported, as the data API gives it."

    /// What is fetched beside the record.
    public private(set) var wanted = BuildDetails()

    /// Makes a formatter that sends the record with its properties.
    public init() {}

    /// Makes a formatter that sends more or less than that.
    public init(wanted: BuildDetails) {
        self.wanted = wanted
    }

    /// The record itself.
    public func format(_ topic: ReportTopic) -> Message {
        Message(.json(.object(topic.record)))
    }
}

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
    /// How many lines of the end of each log are fetched; `nil` for all.
    public var logTail: Int?
    /// How the build before ended.
    public var previousResults: Bool

    /// Makes a choice.
    public init(
        properties: Bool = true, steps: Bool = false, logs: Bool = false,
        logContents: LogContents = .none, logTail: Int? = nil, previousResults: Bool = false
    ) {
        self.properties = properties
        self.steps = steps
        self.logs = logs
        self.logContents = logContents
        self.logTail = logTail
        self.previousResults = previousResults
    }

    /// Whether logs are fetched, for themselves or for their content.
    public var includesLogs: Bool { logs || logContents != .none }

    /// Whether steps are fetched, for themselves or for their logs.
    public var includesSteps: Bool { steps || includesLogs }

    /// What is wanted by either; of two tails the longer one.
    public func union(_ other: BuildDetails) -> BuildDetails {
        BuildDetails(
            properties: properties || other.properties, steps: steps || other.steps,
            logs: logs || other.logs, logContents: logContents.union(other.logContents),
            logTail: [logTail, other.logTail].compactMap(\.self).max(),
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
