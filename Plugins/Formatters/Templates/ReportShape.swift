import FoundationEssentials
import MasterKit

/// Which keys the records of reports have, as the records themselves tell.
///
/// What may be empty or null, such as properties and the parent of a build, has no keys here.
enum ReportShape {
    /// The variables that are records, or lists of them, by name.
    static let records: [String: JSONValue] = [
        "build": .object(build), "builds": [.object(build)], "buildset": .object(buildset),
        "step": .object(step),
    ]

    private static let moment = Date(timeIntervalSince1970: 0)

    private static let buildset = Buildset(
        id: 1, reason: "", submittedAt: moment, sourceStamps: [SourceStamp(createdAt: moment)]
    ).json

    private static let step = StepRecord(id: 1, number: 1, buildID: 1, name: "").json

    private static let log = Log(id: 1, stepID: 1, name: "", slug: "", kind: .text).json.merging([
        "stepname": "", "url": "", "url_raw": "", "url_raw_inline": "",
        "content": ["logid": 1, "firstline": 0, "content": ""],
    ])

    private static let build = Build(
        id: 1, number: 1, builderID: 1, requestID: 1, workerID: 1, startedAt: moment
    ).json.merging([
        "buildrequest": .object(
            BuildRequest(id: 1, buildsetID: 1, builderID: 1, submittedAt: moment).json),
        "buildset": .object(buildset), "parentbuild": .null, "parentbuilder": .null,
        "builder": .object(Builder(id: 1, name: "").json), "url": "",
        "steps": [.object(step.merging(["logs": [.object(log)]]))],
    ])
}
