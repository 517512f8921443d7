internal import GRDB
package import MasterKit

/// Reads the data of reports that is not part of the event's record from the store.
package struct StoreReportSource: ReportSource {
    /// The maximum size of all logs in a report, in bytes; if they are larger, the end of each is
    /// included.
    static let contentBound = 64 << 20

    private let store: Store
    private let room: ReportRoom?
    /// The number of the last step that had begun when the event occurred; `nil` includes all
    /// steps.
    private let lastStep: Int?

    /// Creates a source that reads from a store.
    package init(_ store: Store) {
        self.store = store
        room = nil
        lastStep = nil
    }

    /// Creates a source for the reports of one event; reads of logs wait for room.
    ///
    /// However late a report is generated, it does not include steps that began after its event.
    init(_ store: Store, reporting event: Event, in room: ReportRoom) {
        self.store = store
        self.room = room
        lastStep =
            switch event.kind {
            case .buildNew: 0
            case .stepNew, .stepStarted, .stepUpdated, .stepFinished:
                event.record["number"]?.intValue
            default: nil
            }
    }

    /// The steps of a build so far, with their logs and the logs' content if requested.
    package func steps(
        of build: JSONObject, with details: BuildDetails
    ) async throws -> [JSONValue] {
        guard let id = build["buildid"]?.intValue else { return [] }
        let place = BuildPlace(record: build, identity: store.identity)
        let lastStep = lastStep ?? .max
        let steps = try await store.read { database in
            try StepRecord.all(ofBuild: id, in: database).filter { $0.number <= lastStep }.map {
                step in
                let logs = details.includesLogs ? try StoredLog.all(of: step, in: database) : []
                return (step, logs)
            }
        }
        let bound = try await contentBound(of: steps, details)
        var list: [JSONValue] = []
        for (step, logs) in steps {
            var object = step.json
            if details.includesLogs {
                object["logs"] = .array(try await records(of: logs, step, place, details, bound))
            }
            list.append(.object(object))
        }
        return list
    }

    /// The finished events of the last builds of a buildset's requests, in request order.
    package func ends(ofBuildset id: Int) async throws -> [Event] {
        let identity = store.identity
        return try await store.read { database in
            try RunningBuild.last(ofBuildset: id, in: database).compactMap { ended in
                guard let completeAt = ended.build.completeAt else { return nil }
                return Event(
                    at: completeAt,
                    kind: .buildFinished,
                    lane: ended.build.requestID,
                    buildID: ended.build.id,
                    previousBuildID: ended.previousBuildID,
                    record: try BuildSurroundings(of: ended.build, in: database)
                        .record(of: ended.build, in: identity)
                )
            }
        }
    }

    /// The results of a build, or `nil` if it is unfinished or has been deleted.
    package func results(ofBuild id: Int) async throws -> Results? {
        try await store.read { try Build.find(id, in: $0)?.results }
    }

    /// The results of a step of a build, or `nil` if it is unfinished or there is no such step.
    package func results(ofStep name: String, inBuild id: Int) async throws -> Results? {
        try await store.read { try StepRecord.find(name, ofBuild: id, in: $0)?.results }
    }

    /// The authors of the changes of a build with its collapsed requests, or of a request's buildset.
    package func authors(of event: Event) async throws -> [String] {
        try await changes(of: event).map(\.author)
    }

    /// The changes of a build with its collapsed requests, or of a request's buildset.
    package func changes(of event: Event) async throws -> [Change] {
        let buildset = event.record[event.kind.record == .buildset ? "bsid" : "buildsetid"]
        return try await store.read { database in
            if let id = event.buildID { return try Change.all(ofBuild: id, in: database) }
            return try buildset?.intValue.map { try Change.all(ofBuildset: $0, in: database) } ?? []
        }
    }

    /// Returns the bound per log, after reserving room for all of them.
    private func contentBound(
        of steps: [(StepRecord, [StoredLog])], _ details: BuildDetails
    ) async throws -> Int {
        let paths = steps.flatMap { step, logs in
            logs.filter { details.logContents.contain(log: $0.log.name, ofStep: step.name) }
                .map { store.folder + "/" + $0.path }
        }
        guard !paths.isEmpty else { return LogFile.contentBound }
        let sizes = try await OwnThread.run { try paths.map { try LogFile(path: $0).byteCount() } }
        let bound = min(LogFile.contentBound, Self.contentBound / paths.count)
        try await room?.take(sizes.reduce(0) { $0 + min($1, bound) })
        return bound
    }

    private func records(
        of logs: [StoredLog], _ step: StepRecord, _ place: BuildPlace, _ details: BuildDetails,
        _ bound: Int
    ) async throws -> [JSONValue] {
        var records: [JSONValue] = []
        for stored in logs {
            var record = stored.log.json
            place.addAddresses(to: &record, of: stored.log, step)
            if details.logContents.contain(log: stored.log.name, ofStep: step.name) {
                let path = store.folder + "/" + stored.path
                let content = try await OwnThread.run {
                    try LogFile(path: path).content(bound: bound)
                }
                let hasMarks = stored.log.kind == .stream
                let tail = details.logTail.map(content.tail) ?? content
                record["content"] = [
                    "logid": .int(stored.log.id), "firstline": .int(tail.firstLine),
                    "content": .string(hasMarks ? tail.text : tail.unmarked),
                ]
            }
            records.append(.object(record))
        }
        return records
    }
}

/// A log and the path of its content file.
private struct StoredLog: Sendable {
    let log: Log
    let path: String

    static func all(of step: StepRecord, in database: Database) throws -> [StoredLog] {
        try Log.all(ofStep: step.id, in: database).map { log in
            guard let path = try Log.path(log.id, in: database) else {
                throw StoreError(.conflict, "there is no log \(log.id) in the store")
            }
            return StoredLog(log: log, path: path)
        }
    }
}

/// The URLs of a build and its logs.
private struct BuildPlace: Sendable {
    private let master: String
    private let build: String

    init(record: JSONObject, identity: MasterIdentity) {
        master = identity.buildbotURL
        build = record["url"]?.stringValue ?? identity.buildbotURL
    }

    func addAddresses(to record: inout JSONObject, of log: Log, _ step: StepRecord) {
        let raw = "\(master)api/v2/logs/\(log.id)/raw"
        record["stepname"] = .string(step.name)
        record["url"] = .string("\(build)/steps/\(step.number)/logs/\(log.slug)")
        record["url_raw"] = .string(raw)
        record["url_raw_inline"] = .string(raw + "_inline")
    }
}

extension LogFile.Content {
    /// The last lines of output, including header lines among and after them.
    fileprivate func tail(_ count: Int) -> Self {
        let lines = text.logLines
        var first = lines.last?.isEmpty == true ? lines.count - 1 : lines.count
        var left = count
        while first > 0, left > 0 {
            first -= 1
            if !lines[first].isHeaderLine { left -= 1 }
        }
        let kept = lines.dropFirst(first).joined(separator: "\n")
        return Self(firstLine: firstLine + first, text: kept)
    }

    /// The lines of a stream without their prefixes.
    fileprivate var unmarked: String {
        text.logLines.map(\.withoutChannel).joined(separator: "\n")
    }
}
