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
/// In a file it is used as `message_formatter: formatters.OneLine` in a generator.
public protocol MessageFormatter: Plugin where Options == NoOptions {
    /// The details of a build that are needed in addition to its record.
    var wanted: BuildDetails { get }

    /// Formats the message for a topic.
    ///
    /// Called once for each report, outside of any build; calls for different build requests may
    /// run concurrently.
    /// - Throws: An error whose description can be shown to the user; the report is then recorded
    ///   as a failed delivery with this description.
    func format(_ topic: ReportTopic) async throws -> Message
}

extension MessageFormatter {
    /// The namespace `formatters`.
    public static var namespace: PluginNamespace { PluginKind.formatters.namespace }

    /// Properties, and nothing else in addition to the record.
    public var wanted: BuildDetails { BuildDetails() }
}

extension PluginKind<any MessageFormatter, NoOptions> {
    /// The plugin kind for message formatters.
    public static var formatters: Self { Self("formatters") }
}

/// The formatted message of a report.
public struct Message: Sendable, Hashable {
    /// The body.
    public var body: Report.Body
    /// The subject, or `nil` for the default one.
    public var subject: String?
    /// Additional data for specific kinds of reporters: name → settings.
    public var extraInfo: JSONObject
    /// Placeholders in the body, mapped to the names of the secrets that replace them when it is
    /// sent.
    public var secretMarks: [String: String] = [:]

    /// Creates a message.
    public init(_ body: Report.Body, subject: String? = nil, extraInfo: JSONObject = [:]) {
        self.body = body
        self.subject = subject
        self.extraInfo = extraInfo
    }
}

/// Formats the record of the report's topic as JSON, as the data API returns it.
///
/// A build includes its request, buildset and builder; a step its build; a request its builder and
/// buildset; a buildset its builds.
public struct RecordFormatter: MessageFormatter {
    /// What the formatter does.
    public static let summary = "The record of what is reported, as the data API gives it."

    /// The details to fetch in addition to the record.
    public private(set) var wanted = BuildDetails()

    /// Creates a formatter that sends the record with its properties.
    public init() {}

    /// Creates a formatter that sends more or fewer details.
    public init(wanted: BuildDetails) {
        self.wanted = wanted
    }

    /// Returns the record.
    public func format(_ topic: ReportTopic) -> Message {
        Message(.json(.object(topic.record)))
    }
}

/// The details of a build to fetch for a report in addition to its record.
public struct BuildDetails: Sendable, Hashable {
    /// Which logs are included with their content.
    public enum LogContents: Sendable, Hashable {
        /// None.
        case none
        /// All.
        case all
        /// Logs with these names, as `log` or `step.log`.
        case named(Set<String>)
    }

    /// The build's properties; otherwise the record contains an empty mapping.
    public var properties: Bool
    /// The build's steps.
    public var steps: Bool
    /// The logs of the steps; implies the steps.
    public var logs: Bool
    /// The content of logs; implies logs and steps.
    public var logContents: LogContents
    /// The number of lines to fetch from the end of each log, or `nil` for all.
    public var logTail: Int?
    /// The results of the previous build.
    public var previousResults: Bool

    /// Creates a selection of details.
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
    package var includesLogs: Bool { logs || logContents != .none }

    /// Whether steps are fetched, for themselves or for their logs.
    package var includesSteps: Bool { steps || includesLogs }

    /// Returns everything wanted by either; of two tails the longer one.
    public func union(_ other: BuildDetails) -> BuildDetails {
        BuildDetails(
            properties: properties || other.properties, steps: steps || other.steps,
            logs: logs || other.logs, logContents: logContents.union(other.logContents),
            logTail: [logTail, other.logTail].compactMap(\.self).max(),
            previousResults: previousResults || other.previousResults)
    }
}

extension BuildDetails.LogContents {
    /// Returns everything wanted by either.
    func union(_ other: Self) -> Self {
        switch (self, other) {
        case (.all, _), (_, .all): .all
        case (.none, let one), (let one, .none): one
        case (.named(let one), .named(let two)): .named(one.union(two))
        }
    }

    /// Whether the content of a log is wanted.
    package func contain(log: String, ofStep step: String) -> Bool {
        switch self {
        case .none: false
        case .all: true
        case .named(let names): names.contains(log) || names.contains("\(step).\(log)")
        }
    }
}
