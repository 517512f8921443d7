public import FoundationEssentials

/// Something that happened to a record, published after the store has committed it.
///
/// An event carries the record as it was at that moment and is never changed afterwards; every
/// reader has its own copy.
public struct Event: Sendable, Hashable {
    /// The position in the stored order of events; `nil` for one that is only published live.
    package var sequence: Int?
    /// When it happened.
    public let at: Date
    /// What happened.
    public let kind: EventKind
    /// What the event is kept in order with: the build request's id, or that of a buildset with a
    /// minus sign.
    package let lane: Int
    /// The build it is about or belongs to.
    public let buildID: Int?
    /// The last finished build of the same builder when this build started.
    package let previousBuildID: Int?
    /// The record in the data API's form.
    ///
    /// The record of a build has its request, buildset, builder, properties and address in it.
    /// When the event is stored for reports, a step has its build under `build`, a request what is
    /// known of its build, and a buildset the `properties` that its builds began with.
    public let record: JSONObject

    /// Makes an event.
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

    /// The result in the record, `nil` while there is none.
    public var results: Results? {
        record["results"]?.intValue.flatMap(Results.init(rawValue:))
    }

    /// The record of the build that the event is about: of the step's build, or of the one that
    /// the request is for, as far as it is known.
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

/// What can happen to a record in the life of a build.
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
    /// What an event is about.
    public enum Record: String, Sendable, Hashable {
        case buildset
        case buildrequest
        case build
        case step
        case log
        case properties
        case worker
    }

    /// What the event is about: the first half of its name.
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
