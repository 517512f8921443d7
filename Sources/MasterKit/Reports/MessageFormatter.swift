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
    /// The authors of the changes, who are among the ``ReportTopic/users``.
    public var authors: Bool
    /// The newest changes that the build was made of, at most ``maximumChanges``.
    public var changes: Bool

    /// The most changes of a build in a report.
    public static let maximumChanges = 100

    /// Creates a selection of details.
    public init(
        properties: Bool = true, steps: Bool = false, logs: Bool = false,
        logContents: LogContents = .none, logTail: Int? = nil, previousResults: Bool = false,
        authors: Bool = true, changes: Bool = false
    ) {
        self.properties = properties
        self.steps = steps
        self.logs = logs
        self.logContents = logContents
        self.logTail = logTail
        self.previousResults = previousResults
        self.authors = authors
        self.changes = changes
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
            previousResults: previousResults || other.previousResults,
            authors: authors || other.authors, changes: changes || other.changes)
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

/// The topic of a report, from which a formatter creates a message.
///
/// It is a build, a step, a request or a buildset at one moment, with the related records.
public struct ReportTopic: Sendable {
    /// The kind of record.
    public let kind: EventKind.Record
    /// The record in the data API's form: a build as sent by a status push, a step with its
    /// `build`, a request with what is known about its build, a buildset with its `builds`.
    public let record: JSONObject
    /// The records of the builds, with the wanted details: for a buildset the final builds of its
    /// requests, otherwise one.
    public let builds: [JSONObject]
    /// The result, or `nil` if not finished.
    public let results: Results?
    /// The previous result, or `nil` if unknown or not requested.
    public let previousResults: Results?
    /// The modes by which the generator selected the event; empty if it does not select by results.
    public let modes: ReportModes
    /// The master's title and URL.
    public let master: MasterIdentity
    private let propertyRecord: JSONObject
    private let authors: [String]

    /// Creates the topic of an event.
    ///
    /// - Parameters:
    ///   - event: The event, as stored.
    ///   - builds: The records of the builds, with the wanted details.
    ///   - previousResults: The previous result.
    ///   - modes: The modes of the generator.
    ///   - authors: The authors of its changes.
    ///   - master: The master's title and URL.
    init(
        _ event: Event, builds: [JSONObject], previousResults: Results?, modes: ReportModes,
        authors: [String] = [], master: MasterIdentity
    ) {
        self.authors = authors
        kind = event.kind.record
        results = event.results
        self.builds = builds
        self.previousResults = previousResults
        self.modes = modes
        self.master = master
        let properties = event.buildRecord?["properties"] ?? event.record["properties"]
        propertyRecord = properties?.objectValue ?? [:]
        record = Self.record(of: event, builds)
    }

    private static func record(of event: Event, _ builds: [JSONObject]) -> JSONObject {
        var record = event.record
        switch event.kind.record {
        case .build, .buildrequest:
            return builds.first ?? record
        case .step:
            record["build"] = builds.first.map { .object($0) }
        case .buildset:
            record["properties"] = nil
            record["builds"] = .array(builds.map { .object($0) })
        case .change, .log, .properties, .worker, .scheduler: break
        }
        return record
    }
}

extension ReportTopic {
    /// The record of the build, or `nil` for a buildset, which has ``builds`` instead.
    public var build: JSONObject? { kind == .buildset ? nil : builds.first }

    /// The record of the step, without its build.
    public var step: JSONObject? {
        guard kind == .step else { return nil }
        var step = record
        step["build"] = nil
        return step
    }

    /// The record of the buildset, without its builds.
    public var buildset: JSONObject? {
        guard kind == .buildset else { return builds.first?["buildset"]?.objectValue }
        var buildset = record
        buildset["builds"] = nil
        return buildset
    }

    /// The name of the builder, or `nil` for a buildset.
    public var builderName: String? { build?["builder"]?["name"]?.stringValue }

    /// The properties of the build, or the initial properties of the builds of a request or
    /// buildset, whether or not they are included in the record.
    ///
    /// Those of a request include what its build will have from the builder and the source.
    public var properties: Properties {
        let own = Properties(json: propertyRecord)
        guard kind == .buildrequest else { return own }
        var properties = Properties()
        if let builderName {
            properties.set("buildername", .string(builderName), source: "Builder")
        }
        let stamps = sourceStamps
        if stamps.count == 1 { properties.set(stamps[0]) }
        properties.merge(own)
        return properties
    }

    /// The source stamps.
    public var sourceStamps: [SourceStamp] {
        SourceStamp.list(buildset?["sourcestamps"]?.arrayValue ?? [])
    }

    /// The responsible users, unique and sorted: the authors of the changes, and those in the
    /// properties `owner` and `owners`.
    public var users: [String] {
        let values = [propertyRecord["owner"]?[0], propertyRecord["owners"]?[0]]
        let names = values.compactMap(\.self).flatMap { $0.arrayValue ?? [$0] }
        return Set(names.compactMap(\.stringValue) + authors).sorted()
    }
}

/// Human-readable sentences about a topic.
struct TopicDescription {
    private let topic: ReportTopic

    init(_ topic: ReportTopic) {
        self.topic = topic
    }

    /// The result, compared to the previous one if the generator considers it.
    var status: String {
        let modes = topic.modes.modes
        switch topic.results {
        case .failure:
            let compares = modes.contains(.change) || modes.contains(.problem)
            return compares && differs(from: .failure) ? "new failure" : "failed \(noun)"
        case .warnings: return "problem in the \(noun)"
        case .success:
            let compares = modes.contains(.change)
            return compares && differs(from: .success) ? "restored \(noun)" : "passing \(noun)"
        case .exception: return "\(noun) exception"
        default: return "\(Results.text(topic.results)) \(noun)"
        }
    }

    /// The result, with the state text.
    var summary: String {
        let name = noun.prefix(1).uppercased() + noun.dropFirst()
        return switch topic.results {
        case nil:
            topic.build?["number"] == nil && topic.kind == .buildrequest
                ? "\(name) requested" : "\(name) started"
        case .success: "\(name) succeeded!"
        case .warnings: "\(name) Had Warnings\(state)"
        case .cancelled: "\(name) was cancelled"
        default: "\(name.uppercased()) FAILED\(state)"
        }
    }

    /// The source stamps, one per line.
    var sources: String {
        stamps.map { stamp in
            let codebase = text(stamp["codebase"]).map { " '\($0)'" } ?? ""
            let branch = text(stamp["branch"]).map { " [branch \($0)]" } ?? ""
            let patch = stamp["patch"]?.isNull == false ? " (plus patch)" : ""
            return "Source\(codebase):\(branch) \(text(stamp["revision"]) ?? "HEAD")\(patch)"
        }.joined(separator: "\n")
    }

    /// The projects of the source stamps, or the master's title if none is named.
    var projects: String {
        var found: [String] = []
        for project in stamps.compactMap({ text($0["project"]) }) where !found.contains(project) {
            found.append(project)
        }
        return found.isEmpty ? topic.master.title : found.joined(separator: ", ")
    }

    /// What to call the topic: requests and buildsets are referred to as builds.
    private var noun: String { topic.kind == .step ? "step" : "build" }

    private var state: String {
        let record = topic.kind == .step ? topic.record : topic.build
        return text(record?["state_string"]).map { ": \($0)" } ?? ""
    }

    private var stamps: [JSONValue] {
        topic.buildset?["sourcestamps"]?.arrayValue ?? []
    }

    private func differs(from results: Results) -> Bool {
        topic.previousResults.map { $0 != results } ?? false
    }

    /// The string, or `nil` if it is missing or empty.
    private func text(_ value: JSONValue?) -> String? {
        value?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
    }
}
