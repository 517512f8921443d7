import MasterKit

/// The names that templates and fields of a report may use.
enum ReportVariables {
    private static let names = [
        "blamelist", "build", "build_url", "buildbot_title", "buildbot_url", "buildername",
        "buildset", "is_buildset", "mode", "previous_results", "projects", "properties",
        "result_name", "result_names", "results", "sourcestamps", "status_detected", "summary",
        "title_url", "workername",
    ]

    private static let buildKeys = [
        "builder", "builderid", "buildid", "buildrequest", "buildrequestid", "buildset",
        "complete", "complete_at", "locks_duration_s", "masterid", "number", "parentbuild",
        "parentbuilder", "properties", "results", "started_at", "state_string", "steps", "url",
        "workerid",
    ]

    /// Names that are computed from properties.
    private static let fromProperties: Set = ["blamelist", "properties", "workername"]

    /// Reports a path that leads nowhere.
    static func check(_ path: [String], at range: SourceRange?, with decoder: SettingDecoder) {
        guard let name = path.first else { return }
        guard names.contains(name) else {
            let remedy = Suggestion.remedy(for: name, among: names)
            return decoder.error("a report has no '\(name)'; \(remedy)", at: range)
        }
        guard name == "build", path.count > 1, !buildKeys.contains(path[1]) else { return }
        let remedy = Suggestion.remedy(for: path[1], among: buildKeys)
        decoder.error("a build has no '\(path[1])'; \(remedy)", at: range)
    }

    /// Whether the properties of the build must be known for a path.
    static func needsProperties(_ path: [String]) -> Bool {
        path.first.map(fromProperties.contains) ?? false || path == ["build"]
            || path.starts(with: ["build", "properties"])
    }

    /// The values of all names for a build.
    ///
    /// - Parameters:
    ///   - build: The record of the build.
    ///   - previous: The result of the build before.
    ///   - modes: The modes of the generator.
    ///   - master: What the master is called.
    /// - Returns: Name → value, for templates and fields.
    static func values(
        of build: JSONObject, after previous: Results?, modes: [BuildModes.Mode],
        master: MasterIdentity
    ) -> JSONObject {
        let properties = Properties(json: build["properties"]?.objectValue ?? [:])
        let results = build["results"]?.intValue.flatMap(Results.init(rawValue:))
        let words = BuildWords(build, results: results, previous: previous, modes: modes)
        return [
            "results": .optional(results?.rawValue),
            "result_name": .string(Results.text(results)),
            "result_names": .array(
                Results.allCases.sorted { $0.rawValue < $1.rawValue }.map { .string($0.name) }),
            "mode": .array(modes.map { .string($0.rawValue) }),
            "buildername": build["builder"]?["name"] ?? .null,
            "workername": properties["workername"] ?? "<unknown>",
            "buildset": build["buildset"] ?? .null,
            "build": .object(build),
            "is_buildset": false,
            "projects": .string(words.projects ?? master.title),
            "previous_results": .optional(previous?.rawValue),
            "status_detected": .string(words.status),
            "build_url": build["url"] ?? .null,
            "title_url": .string(master.titleURL),
            "buildbot_title": .string(master.title),
            "buildbot_url": .string(master.buildbotURL),
            "blamelist": .array(owners(in: properties).map { .string($0) }),
            "summary": .string(words.summary),
            "sourcestamps": .string(words.sources),
            "properties": .object(properties.values),
        ]
    }

    /// The people of the properties `owner` and `owners`, each once, sorted.
    private static func owners(in properties: Properties) -> [String] {
        let values = [properties["owner"], properties["owners"]].compactMap(\.self)
        let names = values.flatMap { $0.arrayValue ?? [$0] }.compactMap(\.stringValue)
        return Set(names).sorted()
    }
}
