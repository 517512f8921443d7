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
    case buildUpdated = "build.updated"
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
        case .buildNew, .buildUpdated, .buildFinished: .build
        case .stepNew, .stepStarted, .stepUpdated, .stepFinished: .step
        case .logNew, .logAppended, .logFinished: .log
        case .propertiesUpdated: .properties
        case .workerConnected, .workerDisconnected, .workerMissing: .worker
        }
    }
}
