import FoundationEssentials
public import MasterKit

/// A finished buildset made up for tests, with the builds that its requests ended with.
///
/// ```swift
/// let buildset = RecordedBuildset([RecordedBuild(number: 1), RecordedBuild(number: 2)])
/// let reports = try await harness.reports(of: reporter, for: buildset.finished, of: buildset)
/// ```
public struct RecordedBuildset: Sendable {
    /// The builds; their numbers are their ids, too, and tell them apart.
    public var builds: [RecordedBuild]
    /// What the builds began with.
    public var properties: Properties

    /// Makes a buildset.
    public init(_ builds: [RecordedBuild], properties: JSONObject = [:]) {
        self.builds = builds
        self.properties = Properties(properties, source: "test")
    }

    /// The event of its end.
    public var finished: Event {
        let results = builds.map(\.results).reduce(.success) { Results.worst($0, $1) ?? .success }
        let buildset = Buildset(
            id: 1, reason: "test", submittedAt: RecordedBuild.startedAt,
            completeAt: RecordedBuild.startedAt + 1, results: results,
            sourceStamps: builds.first?.sourceStamps ?? [])
        return Event(
            at: RecordedBuild.startedAt + 1, kind: .buildsetFinished, lane: -1,
            record: buildset.json.merging(["properties": .object(properties.json)]))
    }
}

extension RecordedBuildset: ReportSource {
    /// The steps of one of the builds.
    public func steps(of build: JSONObject, with details: BuildDetails) -> [JSONValue] {
        self.build(build["number"]?.intValue)?.steps(of: build, with: details) ?? []
    }

    /// The ends of the builds.
    public func ends(ofBuildset id: Int) -> [Event] { builds.map(\.finished) }

    /// The result of the build before one of the builds, which has the number before it.
    public func results(ofBuild id: Int) -> Results? { build(id + 1)?.previousResults }

    /// The result of a step of the build before one of the builds.
    public func results(ofStep name: String, inBuild id: Int) -> Results? {
        build(id + 1)?.previousSteps[name]
    }

    private func build(_ number: Int?) -> RecordedBuild? {
        builds.first { $0.number == number }
    }
}
