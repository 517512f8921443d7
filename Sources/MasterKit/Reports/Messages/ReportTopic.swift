/// What a report is about: what a formatter makes a message of.
///
/// It is a build, a step, a request or a buildset at one moment, with all that surrounds it.
public struct ReportTopic: Sendable {
    /// What kind of record it is.
    public let kind: EventKind.Record
    /// The record in the data API's form: a build as a status push sends it, a step with its
    /// `build`, of a request what is known of its build, a buildset with its `builds`.
    public let record: JSONObject
    /// The records of the builds, with what is wanted of them: of a buildset those that its
    /// requests ended with, else one.
    public let builds: [JSONObject]
    /// The result; `nil` while there is none.
    public let results: Results?
    /// How the same thing ended before; `nil` when it is not known or was not asked for.
    public let previousResults: Results?
    /// The modes by which the generator picked the event; empty when it does not pick by results.
    public let modes: ReportModes
    /// The title and URL of the master.
    public let master: MasterIdentity
    private let propertyRecord: JSONObject

    /// Makes the topic of an event.
    ///
    /// - Parameters:
    ///   - event: What happened, as it is stored.
    ///   - builds: The records of the builds, with the wanted details.
    ///   - previousResults: How the same thing ended before.
    ///   - modes: The modes of the generator.
    ///   - master: The name of the master.
    init(
        _ event: Event, builds: [JSONObject], previousResults: Results?, modes: ReportModes,
        master: MasterIdentity
    ) {
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
        case .log, .properties, .worker: break
        }
        return record
    }
}

extension ReportTopic {
    /// The record of the build; a buildset has none, but ``builds``.
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

    /// The name of the builder; a buildset has none.
    public var builderName: String? { build?["builder"]?["name"]?.stringValue }

    /// The properties of the build, or those that the builds of a request or buildset begin with,
    /// whether or not they are wanted in the record.
    public var properties: Properties { Properties(json: propertyRecord) }

    /// The sources.
    public var sourceStamps: [SourceStamp] {
        SourceStamp.list(buildset?["sourcestamps"]?.arrayValue ?? [])
    }

    /// The people who are responsible, each once, sorted: those of the properties `owner` and
    /// `owners`.
    public var users: [String] {
        let values = [propertyRecord["owner"]?[0], propertyRecord["owners"]?[0]]
        let names = values.compactMap(\.self).flatMap { $0.arrayValue ?? [$0] }
        return Set(names.compactMap(\.stringValue)).sorted()
    }
}

extension ReportTopic {
    /// The names that templates and fields of a report may use.
    ///
    /// All of them are there for every topic; what a topic has not is null.
    public static let variableNames = [
        "blamelist", "build", "build_url", "buildbot_title", "buildbot_url", "buildername",
        "builds", "buildset", "duration", "failed_step", "is_buildset", "kind", "mode",
        "previous_results", "projects",
        "properties", "result_name", "result_names", "results", "sourcestamps",
        "status_detected", "step", "summary", "title_url", "workername",
    ]

    /// The context of templates: name → value.
    public var variables: JSONObject {
        let properties = properties
        let words = ReportWords(self)
        let builds = builds.map(\.withLogTexts)
        let build = kind == .buildset ? nil : builds.first
        return [
            "kind": .string(kind.rawValue),
            "results": .optional(results?.rawValue),
            "result_name": .string(Results.text(results)),
            "result_names": Self.resultNames,
            "mode": .array(modes.modes.map { .string($0.rawValue) }),
            "buildername": .optional(builderName),
            "workername": properties["workername"] ?? "<unknown>",
            "buildset": buildset.map { .object($0) } ?? .null,
            "build": build.map { .object($0) } ?? .null,
            "builds": .array(builds.map { .object($0) }),
            "step": step.map { .object($0) } ?? .null,
            "failed_step": builds.lazy.compactMap(\.failedStep).first ?? .null,
            "duration": .optional(build?.duration),
            "is_buildset": .bool(kind == .buildset),
            "projects": .string(words.projects),
            "previous_results": .optional(previousResults?.rawValue),
            "status_detected": .string(words.status),
            "build_url": build?["url"] ?? .null,
            "title_url": .string(master.titleURL),
            "buildbot_title": .string(master.title),
            "buildbot_url": .string(master.buildbotURL),
            "blamelist": .array(users.map { .string($0) }),
            "summary": .string(words.summary),
            "sourcestamps": .string(words.sources),
            "properties": .object(properties.values),
        ]
    }

    private static let resultNames = JSONValue.array(
        Results.allCases.sorted { $0.rawValue < $1.rawValue }.map { .string($0.name) })
}

extension JSONObject {
    /// The record of a build whose logs have their content as plain `text`, too.
    fileprivate var withLogTexts: JSONObject {
        guard let steps = self["steps"]?.arrayValue else { return self }
        return merging(["steps": .array(steps.map { $0.changing("logs", \.withText) })])
    }

    /// The first step of a build that failed, or ended with an exception.
    fileprivate var failedStep: JSONValue? {
        let failed: Set<Int?> = [Results.failure.rawValue, Results.exception.rawValue]
        return self["steps"]?.arrayValue?.first { failed.contains($0["results"]?.intValue) }
    }

    /// How long a build took, such as `5m 02s`; `nil` while it runs.
    fileprivate var duration: String? {
        guard let start = self["started_at"]?.intValue, let end = self["complete_at"]?.intValue
        else { return nil }
        return TemplateDate.duration(seconds: end - start)
    }
}

extension JSONValue {
    /// A record each of whose members under a key is changed.
    fileprivate func changing(_ key: String, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        guard case .object(let object) = self, let members = object[key]?.arrayValue else {
            return self
        }
        return .object(object.merging([key: .array(members.map(change))]))
    }

    /// The record of a log with its content as plain `text`: of a stream the lines of output,
    /// without the letter that each begins with.
    fileprivate var withText: JSONValue {
        guard case .object(let log) = self, let content = log["content"]?["content"]?.stringValue
        else { return self }
        guard log["type"]?.stringValue == Log.Kind.stream.rawValue else {
            return .object(log.merging(["text": .string(content)]))
        }
        let lines = content.split(separator: "\n", omittingEmptySubsequences: false)
        let output = lines.filter { !$0.hasPrefix("h") }
        let text = output.map { $0.dropFirst() }.joined(separator: "\n")
        return .object(log.merging(["text": .string(text)]))
    }
}
