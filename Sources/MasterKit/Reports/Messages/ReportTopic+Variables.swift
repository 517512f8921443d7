extension ReportTopic {
    /// The names that templates and fields of a report may use.
    ///
    /// All of them are there for every topic; what a topic has not is null.
    public static let variableNames = [
        "blamelist", "build", "build_url", "buildbot_title", "buildbot_url", "buildername",
        "builds", "buildset", "is_buildset", "kind", "mode", "previous_results", "projects",
        "properties", "result_name", "result_names", "results", "sourcestamps",
        "status_detected", "step", "summary", "title_url", "workername",
    ]

    /// The context of templates: name → value.
    public var variables: JSONObject {
        let properties = properties
        let words = ReportWords(self)
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
