import FoundationEssentials
public import MasterKit
import Synchronization

/// A sample build for tests, with its events and the data that reports query.
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
    /// Its state string when it has finished.
    public var stateString: String
    /// Its properties.
    public var properties: Properties
    /// Its steps as in reports, with their logs.
    public var steps: [JSONValue]
    /// Its source stamps.
    public var sourceStamps: [SourceStamp]
    /// The result of the previous build, if any.
    public var previousResults: Results?
    /// The results of the previous build's steps, by name.
    public var previousSteps: [String: Results]
    /// The authors of its changes, beside those of ``changes``.
    public var authors: [String] = []
    /// Its changes, for reports that want them.
    public var changes: [Change] = []

    static let startedAt = Date(timeIntervalSince1970: 1_795_342_547)

    /// Creates a build; every argument has a default.
    public init(
        number: Int = 1, builder: String = "default", tags: [String] = [],
        results: Results = .success, stateString: String = "build successful",
        properties: JSONObject = [:], steps: [JSONValue] = [], sourceStamps: [SourceStamp]? = nil,
        previousResults: Results? = nil, previousSteps: [String: Results] = [:]
    ) {
        self.number = number
        self.builder = builder
        self.tags = tags
        self.results = results
        self.stateString = stateString
        self.properties = Properties(properties, source: "test")
        self.steps = steps
        self.sourceStamps = sourceStamps ?? [SourceStamp(id: 1, createdAt: Self.startedAt)]
        self.previousResults = previousResults
        self.previousSteps = previousSteps
    }

    /// The event when it starts.
    public var started: Event { event(.buildNew, at: Self.startedAt, isFinished: false) }

    /// The event when it finishes.
    public var finished: Event {
        event(.buildFinished, at: Self.startedAt + 1, isFinished: true)
    }

    /// The event when one of its steps starts.
    public func stepStarted(_ name: String) -> Event {
        event(.stepStarted, of: step(name), isFinished: false)
    }

    /// The event when one of its steps finishes.
    public func stepFinished(_ name: String, _ results: Results = .success) -> Event {
        event(.stepFinished, of: step(name, results), isFinished: false)
    }

    /// The event of its build request.
    public var requested: Event { event(.buildrequestNew, of: request) }

    /// The event when its build request is cancelled before the build starts.
    public var requestCancelled: Event {
        var request = request
        request.completeAt = Self.startedAt
        request.results = .cancelled
        return event(.buildrequestCancelled, of: request)
    }
}

// MARK: Events

extension RecordedBuild {
    /// The events of a request that is collapsed into that of the build: its start and its end.
    ///
    /// - Parameters:
    ///   - id: The id of the collapsed request.
    ///   - sourceStamps: Its sources.
    /// - Returns: The events.
    public func collapsing(_ id: Int, _ sourceStamps: [SourceStamp]) -> [Event] {
        var (older, ended) = (self, request)
        older.sourceStamps = sourceStamps
        (ended.id, ended.completeAt, ended.results) = (id, Self.startedAt, .skipped)
        return [false, true].map { isFinished in
            let build = record(isFinished: isFinished).merging([
                "buildrequest": .object(ended.json), "buildset": .object(older.buildset().json),
            ])
            return Event(
                at: Self.startedAt, kind: .buildrequestCollapsed, lane: id,
                record: ended.json.merging([
                    "results": .int(isFinished ? results.rawValue : -1),
                    "complete": .bool(isFinished), "build": .object(build),
                ]))
        }
    }

    /// An event of any kind around the build.
    func event(_ kind: EventKind) -> Event {
        switch kind.record {
        case .build:
            return event(kind, at: Self.startedAt, isFinished: kind == .buildFinished)
        case .step: return event(kind, of: step("tests"), isFinished: false)
        case .buildrequest: return event(kind, of: request)
        case .buildset:
            return Event(at: Self.startedAt, kind: kind, lane: -number, record: buildset().json)
        case .change:
            let change = Change(
                author: "Ann <ann@example.org>", comments: "a change",
                sourceStamp: SourceStamp(), when: Self.startedAt)
            return Event(at: Self.startedAt, kind: kind, lane: 0, record: change.json)
        case .log, .properties, .worker, .scheduler:
            return Event(
                at: Self.startedAt, kind: kind, lane: number, buildID: number,
                record: ["name": "stdio", "properties": .object(properties.json)])
        }
    }

    private func event(_ kind: EventKind, at moment: Date, isFinished: Bool) -> Event {
        Event(
            at: moment, kind: kind, lane: number, buildID: number, previousBuildID: previousBuildID,
            record: record(isFinished: isFinished))
    }

    private func event(_ kind: EventKind, of step: StepRecord, isFinished: Bool) -> Event {
        Event(
            at: Self.startedAt, kind: kind, lane: number, buildID: number,
            previousBuildID: previousBuildID,
            record: step.json.merging(["build": .object(record(isFinished: isFinished))]))
    }

    private func event(_ kind: EventKind, of request: BuildRequest) -> Event {
        let build: JSONObject = [
            "builder": .object(builderRecord), "builderid": 1,
            "buildrequest": .object(request.json), "buildset": .object(buildset().json),
            "complete": .bool(request.completeAt != nil), "properties": .object(properties.json),
            "results": .optional(request.results?.rawValue),
            "url": .string(MasterIdentity().url(ofRequest: number)),
        ]
        return Event(
            at: Self.startedAt, kind: kind, lane: number,
            record: request.json.merging(["build": .object(build)]))
    }
}

// MARK: Records

extension RecordedBuild {
    /// The record of the build with its buildset, request and builder, as in the data API.
    private func record(isFinished: Bool) -> JSONObject {
        let end = isFinished ? Self.startedAt + 1 : nil
        let outcome = isFinished ? results : nil
        let build = Build(
            id: number, number: number, builderID: 1, requestID: number, workerID: 1,
            startedAt: Self.startedAt, completeAt: end, results: outcome,
            stateString: isFinished ? stateString : "starting", properties: properties)
        var request = request
        request.claimedAt = Self.startedAt
        request.completeAt = end
        request.results = outcome
        return build.json.merging([
            "buildrequest": .object(request.json),
            "buildset": .object(buildset(completeAt: end, outcome).json),
            "parentbuild": .null, "parentbuilder": .null, "builder": .object(builderRecord),
            "url": .string("http://localhost:8010/#/builders/1/builds/\(number)"),
        ])
    }

    private var previousBuildID: Int? {
        previousResults == nil && previousSteps.isEmpty ? nil : number - 1
    }

    private var builderRecord: JSONObject { Builder(id: 1, name: builder, tags: tags).json }

    private var request: BuildRequest {
        BuildRequest(id: number, buildsetID: number, builderID: 1, submittedAt: Self.startedAt)
    }

    private func buildset(completeAt end: Date? = nil, _ results: Results? = nil) -> Buildset {
        Buildset(
            id: number, reason: "test", submittedAt: Self.startedAt, completeAt: end,
            results: results, sourceStamps: sourceStamps)
    }

    private func step(_ name: String, _ results: Results? = nil) -> StepRecord {
        StepRecord(
            id: 1, number: 1, buildID: number, name: name, startedAt: Self.startedAt,
            completeAt: results == nil ? nil : Self.startedAt + 1, results: results,
            stateString: results == nil ? "running" : "'\(name)'")
    }
}

extension RecordedBuild: ReportSource {
    /// The steps of this build, with their logs if requested.
    package func steps(of build: JSONObject, with details: BuildDetails) -> [JSONValue] {
        steps.map { step in
            var step = step
            if !details.includesLogs { step["logs"] = nil }
            return step
        }
    }

    /// The finish event of this build.
    package func ends(ofBuildset id: Int) -> [Event] { [finished] }

    /// The result of the previous build.
    package func results(ofBuild id: Int) -> Results? { previousResults }

    /// The result of a step of the previous build.
    package func results(ofStep name: String, inBuild id: Int) -> Results? { previousSteps[name] }

    /// The authors of its changes.
    package func authors(of event: Event) -> [String] { authors + changes.map(\.author) }

    /// Its changes.
    package func changes(of event: Event) -> [Change] { changes }
}

/// A finished sample buildset for tests, with its builds.
///
/// ```swift
/// let buildset = RecordedBuildset([RecordedBuild(number: 1), RecordedBuild(number: 2)])
/// let reports = try await harness.reports(of: reporter, for: buildset.finished, of: buildset)
/// ```
public struct RecordedBuildset: Sendable {
    /// The builds; their numbers must differ, and are also their ids.
    public var builds: [RecordedBuild]
    /// The properties of the buildset.
    public var properties: Properties

    /// Creates a buildset.
    public init(_ builds: [RecordedBuild], properties: JSONObject = [:]) {
        self.builds = builds
        self.properties = Properties(properties, source: "test")
    }

    /// The event when it finishes.
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
    package func steps(of build: JSONObject, with details: BuildDetails) -> [JSONValue] {
        self.build(build["number"]?.intValue)?.steps(of: build, with: details) ?? []
    }

    /// The finish events of the builds.
    package func ends(ofBuildset id: Int) -> [Event] { builds.map(\.finished) }

    /// The result of the build before one of the builds; its number is one lower.
    package func results(ofBuild id: Int) -> Results? { build(id + 1)?.previousResults }

    /// The result of a step of the build before one of the builds.
    package func results(ofStep name: String, inBuild id: Int) -> Results? {
        build(id + 1)?.previousSteps[name]
    }

    /// The authors of the changes of one of the builds, or of all.
    package func authors(of event: Event) -> [String] {
        builds(of: event).flatMap { $0.authors(of: event) }
    }

    /// The changes of one of the builds, or of all.
    package func changes(of event: Event) -> [Change] {
        builds(of: event).flatMap(\.changes)
    }

    private func builds(of event: Event) -> [RecordedBuild] {
        builds.filter { event.buildID == nil || $0.number == event.buildID }
    }

    private func build(_ number: Int?) -> RecordedBuild? {
        builds.first { $0.number == number }
    }
}

/// A step log in memory.
///
/// Lines are as in the store: each starts with the letter of its channel, a line of one channel is
/// not split by output of another, and a header ends unfinished lines of output.
public final class RecordedLog: StepLog {
    /// The name under which the step opened it.
    public let name: String
    /// The kind of its content.
    public let kind: LogKind

    private struct State {
        var lines: [String] = []
        var unfinished: [LogChannel: [UInt8]] = [:]

        mutating func end(_ channel: LogChannel) {
            guard let rest = unfinished.removeValue(forKey: channel) else { return }
            lines.append(RecordedLog.line(rest[...], channel))
        }
    }

    private let mask: SecretMask
    private let changed: @Sendable () -> Void
    private let state = Mutex(State())

    /// Creates a log that calls a closure after each write.
    init(name: String, kind: LogKind, mask: SecretMask, changed: @escaping @Sendable () -> Void) {
        self.name = name
        self.kind = kind
        self.mask = mask
        self.changed = changed
    }

    /// The lines so far, each starting with the letter of its channel.
    public var lines: [String] {
        state.withLock { state in
            let rest = LogChannel.allCases.compactMap { channel in
                state.unfinished[channel].map { Self.line($0[...], channel) }
            }
            return (state.lines + rest).map { mask.apply(to: $0) }
        }
    }

    /// The lines with line ends, as in the store.
    public var content: String {
        lines.map { "\($0)\n" }.joined()
    }

    /// Appends output of one channel.
    public func write(_ bytes: ArraySlice<UInt8>, to channel: LogChannel) async throws {
        state.withLock { state in
            if channel == .header, !bytes.isEmpty {
                for output in LogChannel.output { state.end(output) }
            }
            var open = state.unfinished.removeValue(forKey: channel) ?? []
            open.append(contentsOf: bytes)
            var rest = open[...]
            while let end = rest.firstIndex(of: 0x0A) {
                state.lines.append(Self.line(rest[..<end], channel))
                rest = rest[(end + 1)...]
            }
            if !rest.isEmpty { state.unfinished[channel] = Array(rest) }
        }
        changed()
    }

    /// Does nothing: lines are masked when they are read.
    public func flush(_ channel: LogChannel) async throws {}

    private static func line(_ bytes: ArraySlice<UInt8>, _ channel: LogChannel) -> String {
        let letter = String(Unicode.Scalar(channel.rawValue))
        return letter + String(decoding: bytes, as: UTF8.self)
    }
}
