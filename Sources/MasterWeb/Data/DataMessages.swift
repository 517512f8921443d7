package import MasterKit

/// A message to the subscribers of `/ws` and `/sse`: that a record has changed.
package struct DataMessage: Sendable, Hashable {
    /// The path, such as `builds`, `5`, `new`.
    package let path: [String]
    /// The record in the data API's form.
    package let body: JSONValue

    init(_ path: String..., body: JSONValue) {
        self.path = path
        self.body = body
    }
}

extension DataAPI {
    /// The messages that announce an event: one for each path under which the record is known.
    ///
    /// The server subscribes to ``messageKinds`` of the master's events.
    package static func messages(for event: Event) -> [DataMessage] {
        let record = event.record
        func id(_ key: String) -> String { record[key]?.intValue.map { "\($0)" } ?? "0" }
        switch event.kind {
        case .buildsetNew, .buildsetFinished:
            let verb = event.kind == .buildsetNew ? "new" : "complete"
            return [
                DataMessage("buildsets", id("bsid"), verb, body: record.body(Resource.buildset))
            ]
        case .buildrequestNew: return requestMessages(record, "new")
        case .buildrequestClaimed: return requestMessages(record, "claimed")
        case .buildrequestUnclaimed: return requestMessages(record, "unclaimed")
        case .buildrequestFinished: return requestMessages(record, "complete")
        case .buildrequestCancelled:
            // As stock clients expect it: with a body of null.
            return [DataMessage("buildrequests", id("buildrequestid"), "cancel", body: .null)]
        case .buildNew, .buildFinished:
            let verb = event.kind == .buildNew ? "new" : "finished"
            var body = record.body(Resource.build)
            body["properties"] = .object([:])
            return [
                DataMessage(
                    "builders", id("builderid"), "builds", id("number"), verb, body: body),
                DataMessage("builds", id("buildid"), verb, body: body),
                DataMessage("workers", id("workerid"), "builds", id("buildid"), verb, body: body),
            ]
        case .stepNew: return stepMessages(record, "new")
        case .stepStarted: return stepMessages(record, "started")
        case .stepUpdated: return stepMessages(record, "updated")
        case .stepFinished: return stepMessages(record, "finished")
        case .logNew: return logMessages(record, "new")
        case .logAppended: return []  // The lines are in its file once it has grown.
        case .buildrequestCollapsed: return []  // The build has messages of its own.
        case .logGrown: return logMessages(record, "append")
        case .logFinished: return logMessages(record, "finished")
        case .changeNew:
            return [DataMessage("changes", id("changeid"), "new", body: .object(record))]
        case .propertiesUpdated:
            let build = event.buildID.map { "\($0)" } ?? "0"
            return [DataMessage("builds", build, "properties", "update", body: .object(record))]
        case .workerConnected: return workerMessage(record, "connected")
        case .workerDisconnected: return workerMessage(record, "disconnected")
        case .workerMissing: return workerMessage(record, "missing")
        case .workerUpdated: return workerMessage(record, "state_updated")
        case .schedulerUpdated:
            return [DataMessage("schedulers", id("schedulerid"), "updated", body: .object(record))]
        }
    }

    /// The kinds of events that become messages.
    package static let messageKinds = Set(EventKind.allCases).subtracting([
        .logAppended, .buildrequestCollapsed,
    ])

    private static func requestMessages(_ record: JSONObject, _ verb: String) -> [DataMessage] {
        let body = record.body(Resource.buildrequest)
        let (id, set, builder) = (
            record.text("buildrequestid"), record.text("buildsetid"), record.text("builderid")
        )
        return [
            DataMessage(
                "buildsets", set, "builders", builder, "buildrequests", id, verb, body: body),
            DataMessage("buildrequests", id, verb, body: body),
            DataMessage("builders", builder, "buildrequests", id, verb, body: body),
        ]
    }

    private static func stepMessages(_ record: JSONObject, _ verb: String) -> [DataMessage] {
        let body = record.body(Resource.step)
        let id = record.text("stepid")
        return [
            DataMessage("builds", record.text("buildid"), "steps", id, verb, body: body),
            DataMessage("steps", id, verb, body: body),
        ]
    }

    private static func logMessages(_ record: JSONObject, _ verb: String) -> [DataMessage] {
        let body = record.body(Resource.log)
        let slug = record["slug"]?.stringValue ?? ""
        return [
            DataMessage("logs", record.text("logid"), verb, body: body),
            DataMessage("steps", record.text("stepid"), "logs", slug, verb, body: body),
        ]
    }

    private static func workerMessage(_ record: JSONObject, _ verb: String) -> [DataMessage] {
        let body = record.body(Resource.worker)
        return [DataMessage("workers", record.text("workerid"), verb, body: body)]
    }
}

extension JSONObject {
    /// The id in a record, as part of a path.
    fileprivate func text(_ key: String) -> String { self[key]?.intValue.map { "\($0)" } ?? "0" }

    /// The fields of a record that clients know, without what reports get in addition.
    fileprivate func body(_ resource: Resource) -> JSONValue {
        .object(
            JSONObject(
                resource.sortedFields.compactMap { field in
                    self[field.name].map { (field.name, $0) }
                }))
    }
}
