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

    /// Creates the topic of an event.
    ///
    /// - Parameters:
    ///   - event: The event, as stored.
    ///   - builds: The records of the builds, with the wanted details.
    ///   - previousResults: The previous result.
    ///   - modes: The modes of the generator.
    ///   - master: The master's title and URL.
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
    public var properties: Properties { Properties(json: propertyRecord) }

    /// The source stamps.
    public var sourceStamps: [SourceStamp] {
        SourceStamp.list(buildset?["sourcestamps"]?.arrayValue ?? [])
    }

    /// The responsible users, unique and sorted: from the properties `owner` and `owners`.
    public var users: [String] {
        let values = [propertyRecord["owner"]?[0], propertyRecord["owners"]?[0]]
        let names = values.compactMap(\.self).flatMap { $0.arrayValue ?? [$0] }
        return Set(names.compactMap(\.stringValue)).sorted()
    }
}

extension ReportTopic {
    /// The names that templates and fields of a report can use.
    ///
    /// Every topic has all of them; values that do not apply to a topic are null.
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
    /// The build's record with the content of its logs added as plain `text`.
    fileprivate var withLogTexts: JSONObject {
        guard let steps = self["steps"]?.arrayValue else { return self }
        return merging(["steps": .array(steps.map { $0.changing("logs", \.withText) })])
    }

    /// The first step of a build that failed or ended with an exception.
    fileprivate var failedStep: JSONValue? {
        let failed: Set<Int?> = [Results.failure.rawValue, Results.exception.rawValue]
        return self["steps"]?.arrayValue?.first { failed.contains($0["results"]?.intValue) }
    }

    /// The duration of a build, such as `5m 02s`, or `nil` if it is running.
    fileprivate var duration: String? {
        guard let start = self["started_at"]?.intValue, let end = self["complete_at"]?.intValue
        else { return nil }
        return TemplateDate.duration(seconds: end - start)
    }
}

extension JSONValue {
    /// The record with a change applied to each element of the list under a key.
    fileprivate func changing(_ key: String, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        guard case .object(let object) = self, let members = object[key]?.arrayValue else {
            return self
        }
        return .object(object.merging([key: .array(members.map(change))]))
    }

    /// The log's record with its content added as plain `text`: for a stream the output lines,
    /// without the leading channel letter.
    fileprivate var withText: JSONValue {
        guard case .object(let log) = self, let content = log["content"]?["content"]?.stringValue
        else { return self }
        guard log["type"]?.stringValue == LogKind.stream.rawValue else {
            return .object(log.merging(["text": .string(content)]))
        }
        let lines = content.split(separator: "\n", omittingEmptySubsequences: false)
        let output = lines.filter { !$0.hasPrefix("h") }
        let text = output.map { $0.dropFirst() }.joined(separator: "\n")
        return .object(log.merging(["text": .string(text)]))
    }
}
