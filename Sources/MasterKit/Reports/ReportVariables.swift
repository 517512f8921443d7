import FoundationEssentials

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
        let output = content.logLines.filter { !$0.isHeaderLine }
        let text = output.map(\.withoutChannel).joined(separator: "\n")
        return .object(log.merging(["text": .string(text)]))
    }
}

extension ReportTopic {
    /// Returns a sentence describing what is wrong with a name in a template or field of a report.
    ///
    /// - Parameters:
    ///   - path: The components of the path: `build`, `number`.
    ///   - others: Additional names that are available besides those of every report.
    /// - Returns: `nil` if the path leads to a value, or if that can only be known for a report.
    public static func fault(in path: [String], beside others: [String] = []) -> String? {
        guard let name = path.first, !others.contains(name) else { return nil }
        guard variableNames.contains(name) else {
            let names = (variableNames + others).sorted()
            let remedy =
                name.contains("-")
                ? "write spaces around '-' to subtract"
                : Suggestion.remedy(for: name, among: names)
            return "a report has no '\(name)'; \(remedy)"
        }
        guard var value = ReportShape.records[name] else { return nil }
        for (index, part) in path.enumerated().dropFirst() {
            switch value {
            case .object(let object) where !object.isEmpty:
                guard let next = object[part] else {
                    let owner = path[..<index].joined(separator: ".")
                    return part == "count" ? nil : fault(of: part, in: owner, object.keys)
                }
                value = next
            case .array(let array):
                guard let element = array.first, part != "count" else { return nil }
                value = element
            default: return nil
            }
        }
        return nil
    }

    private static func fault(of name: String, in owner: String, _ keys: [String]) -> String {
        let article = ["build": "a build", "step": "a step", "buildset": "a buildset"]
        let remedy = Suggestion.remedy(for: name, among: keys.sorted())
        return "\(article[owner] ?? "'\(owner)'") has no '\(name)'; \(remedy)"
    }
}

/// The keys of the records in reports, derived from sample records.
///
/// Values that may be empty or null, such as properties and the parent of a build, have no keys
/// here.
private enum ReportShape {
    /// The variables that are records or lists of records, by name.
    static let records: [String: JSONValue] = [
        "build": .object(build), "builds": [.object(build)], "buildset": .object(buildset),
        "failed_step": .object(failedStep), "step": .object(step),
    ]

    private static let moment = Date(timeIntervalSince1970: 0)

    private static let buildset = Buildset(
        id: 1, reason: "", submittedAt: moment,
        sourceStamps: [SourceStamp(id: 1, createdAt: moment)]
    ).json

    private static let step = StepRecord(id: 1, number: 1, buildID: 1, name: "").json

    private static let log = Log(id: 1, stepID: 1, name: "", slug: "", kind: .text).json.merging([
        "stepname": "", "url": "", "url_raw": "", "url_raw_inline": "",
        "content": ["logid": 1, "firstline": 0, "content": ""],
    ])

    private static let failedStep = step.merging([
        "logs": [.object(log.merging(["text": ""]))]
    ])

    private static let build = Build(
        id: 1, number: 1, builderID: 1, requestID: 1, workerID: 1, startedAt: moment
    ).json.merging([
        "buildrequest": .object(
            BuildRequest(id: 1, buildsetID: 1, builderID: 1, submittedAt: moment).json),
        "buildset": .object(buildset), "parentbuild": .null, "parentbuilder": .null,
        "builder": .object(Builder(id: 1, name: "").json), "url": "",
        "steps": [.object(failedStep)], "changes": [.object(change)],
    ])

    private static let change = Change(
        author: "", comments: "", sourceStamp: SourceStamp(id: 1, createdAt: moment), when: moment
    ).json
}
