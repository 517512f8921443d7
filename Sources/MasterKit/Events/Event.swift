public import FoundationEssentials

/// A change to a record, published after the store has committed it.
///
/// An event contains a snapshot of the record and is immutable; every reader has its own copy.
public struct Event: Sendable, Hashable {
    /// The position in the stored order of events, or `nil` if it is only published live.
    package var sequence: Int?
    /// When it happened.
    public let at: Date
    /// What happened.
    public let kind: EventKind
    /// The lane within which events are kept in order: the build request's id, or the negated id of
    /// a buildset.
    package let lane: Int
    /// The build that the event concerns.
    public let buildID: Int?
    /// The last build of the same builder that had finished when this build started.
    package let previousBuildID: Int?
    /// The record in the data API's form.
    ///
    /// The record of a build contains its request, buildset, builder, properties and URL. When the
    /// event is stored for reports, a step contains its build under `build`, a request what is
    /// known about its build, and a buildset the initial `properties` of its builds.
    public let record: JSONObject

    package init(
        sequence: Int? = nil, at: Date, kind: EventKind, lane: Int, buildID: Int? = nil,
        previousBuildID: Int? = nil, record: JSONObject
    ) {
        self.sequence = sequence
        self.at = at
        self.kind = kind
        self.lane = lane
        self.buildID = buildID
        self.previousBuildID = previousBuildID
        self.record = record
    }

    /// The result in the record, or `nil` if not finished.
    public var results: Results? {
        record["results"]?.intValue.flatMap(Results.init(rawValue:))
    }

    /// The record of the build that the event concerns: the step's build, or the request's, as far
    /// as it is known.
    public var buildRecord: JSONObject? {
        switch kind.record {
        case .build: record
        case .step, .buildrequest: record["build"]?.objectValue
        case .buildset, .log, .properties, .worker: nil
        }
    }

    /// The name of the builder.
    public var builderName: String? {
        buildRecord?["builder"]?["name"]?.stringValue
    }

    /// The tags of the builder.
    public var builderTags: [String] {
        buildRecord?["builder"]?["tags"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    /// The value of a property of the build.
    public func property(_ name: String) -> JSONValue? {
        buildRecord?["properties"]?[name]?[0]
    }
}

/// The kinds of events.
public enum EventKind: String, Sendable, Hashable, CaseIterable, Codable {
    case buildsetNew = "buildset.new"
    case buildsetFinished = "buildset.finished"
    case buildrequestNew = "buildrequest.new"
    case buildrequestClaimed = "buildrequest.claimed"
    case buildrequestUnclaimed = "buildrequest.unclaimed"
    case buildrequestCancelled = "buildrequest.cancelled"
    case buildrequestFinished = "buildrequest.finished"
    case buildNew = "build.new"
    case buildFinished = "build.finished"
    case stepNew = "step.new"
    case stepStarted = "step.started"
    case stepUpdated = "step.updated"
    case stepFinished = "step.finished"
    case logNew = "log.new"
    case logAppended = "log.appended"
    case logFinished = "log.finished"
    case propertiesUpdated = "properties.updated"
    case workerConnected = "worker.connected"
    case workerDisconnected = "worker.disconnected"
    case workerMissing = "worker.missing"
}

extension EventKind {
    /// The kinds of records that an event can be about.
    public enum Record: String, Sendable, Hashable {
        case buildset
        case buildrequest
        case build
        case step
        case log
        case properties
        case worker
    }

    /// The kind of record: the first part of the event's name.
    public var record: Record {
        switch self {
        case .buildsetNew, .buildsetFinished: .buildset
        case .buildrequestNew, .buildrequestClaimed, .buildrequestUnclaimed,
            .buildrequestCancelled, .buildrequestFinished:
            .buildrequest
        case .buildNew, .buildFinished: .build
        case .stepNew, .stepStarted, .stepUpdated, .stepFinished: .step
        case .logNew, .logAppended, .logFinished: .log
        case .propertiesUpdated: .properties
        case .workerConnected, .workerDisconnected, .workerMissing: .worker
        }
    }
}
