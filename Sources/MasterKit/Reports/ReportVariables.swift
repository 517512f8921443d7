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
        let description = TopicDescription(self)
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
            "projects": .string(description.projects),
            "previous_results": .optional(previousResults?.rawValue),
            "status_detected": .string(description.status),
            "build_url": build?["url"] ?? .null,
            "title_url": .string(master.titleURL),
            "buildbot_title": .string(master.title),
            "buildbot_url": .string(master.buildbotURL),
            "blamelist": .array(users.map { .string($0) }),
            "summary": .string(description.summary),
            "sourcestamps": .string(description.sources),
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
