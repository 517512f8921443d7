import FoundationEssentials
public import MasterKit

/// A build made up for tests, with the events it would cause and what reports look up of it.
///
/// ```swift
/// let build = RecordedBuild(builder: "linux", results: .failure)
/// let reports = try await harness.reports(of: reporter, for: build.finished)
/// ```
public struct RecordedBuild: Sendable {
    /// The build's number.
    public var number: Int
    /// The name of its builder.
    public var builder: String
    /// The tags of its builder.
    public var tags: [String]
    /// Its result when it has finished.
    public var results: Results
    /// What its state says when it has finished.
    public var stateString: String
    /// Its properties.
    public var properties: Properties
    /// Its steps as reports carry them, with their logs.
    public var steps: [JSONValue]
    /// The result of the build before it, `nil` when there is none.
    public var previousResults: Results?

    private static let startedAt = Date(timeIntervalSince1970: 1_795_342_547)

    /// Makes a build; everything has a default.
    public init(
        number: Int = 1, builder: String = "default", tags: [String] = [],
        results: Results = .success, stateString: String = "build successful",
        properties: JSONObject = [:], steps: [JSONValue] = [], previousResults: Results? = nil
    ) {
        self.number = number
        self.builder = builder
        self.tags = tags
        self.results = results
        self.stateString = stateString
        self.properties = Properties(properties, source: "test")
        self.steps = steps
        self.previousResults = previousResults
    }

    /// The event of its start.
    public var started: Event { event(.buildNew, at: Self.startedAt, isFinished: false) }

    /// The event of its end.
    public var finished: Event {
        event(.buildFinished, at: Self.startedAt + 1, isFinished: true)
    }

    private func event(_ kind: EventKind, at moment: Date, isFinished: Bool) -> Event {
        Event(
            at: moment, kind: kind, lane: number, buildID: number,
            previousBuildID: previousResults == nil ? nil : number - 1,
            record: record(isFinished: isFinished))
    }

    /// The record of the build with all that surrounds it, in the data API's form.
    private func record(isFinished: Bool) -> JSONObject {
        let end = isFinished ? Self.startedAt + 1 : nil
        let outcome = isFinished ? results : nil
        let build = Build(
            id: number, number: number, builderID: 1, requestID: number, workerID: 1,
            startedAt: Self.startedAt, completeAt: end, results: outcome,
            stateString: isFinished ? stateString : "starting", properties: properties)
        let request = BuildRequest(
            id: number, buildsetID: number, builderID: 1, submittedAt: Self.startedAt,
            claimedAt: Self.startedAt, completeAt: end, results: outcome)
        let buildset = Buildset(
            id: number, reason: "test", submittedAt: Self.startedAt, completeAt: end,
            results: outcome, sourceStamps: [SourceStamp(id: 1, createdAt: Self.startedAt)])
        return build.json.merging([
            "buildrequest": .object(request.json), "buildset": .object(buildset.json),
            "parentbuild": .null, "parentbuilder": .null,
            "builder": .object(Builder(id: 1, name: builder, tags: tags).json),
            "url": .string("http://localhost:8010/#/builders/1/builds/\(number)"),
        ])
    }
}

extension RecordedBuild: ReportSource {
    /// The record of the event with the details that are asked for.
    public func build(of event: Event, with details: BuildDetails) async throws -> JSONObject {
        var record = event.record
        if !details.properties { record["properties"] = [:] }
        let wantsLogs = details.logs || details.logContents != .none
        if details.steps || wantsLogs {
            record["steps"] = .array(
                steps.map { step in
                    var step = step
                    if !wantsLogs { step["logs"] = nil }
                    return step
                })
        }
        return record
    }

    /// The result of the build before.
    public func results(ofBuild id: Int) async throws -> Results? { previousResults }
}
