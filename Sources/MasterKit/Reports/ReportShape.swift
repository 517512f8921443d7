import FoundationEssentials

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
        "steps": [.object(failedStep)],
    ])
}
