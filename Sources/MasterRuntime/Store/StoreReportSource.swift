internal import GRDB
public import MasterKit

/// Looks up in the store what a report holds beside the record of its event.
public struct StoreReportSource: ReportSource {
    /// How much of the logs of a build a report holds, in bytes; of more each log's end is held.
    static let contentBound = 64 << 20

    private let store: Store
    private let room: ReportRoom?
    /// The last step that had begun when the reported event happened; `nil` for all.
    private let lastStep: Int?

    /// Makes a source that reads a store.
    public init(_ store: Store) {
        self.store = store
        room = nil
        lastStep = nil
    }

    /// Makes a source for the reports of one event, which wait for room before logs are read.
    ///
    /// However late a report is made, it has no steps that began after its event.
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

    /// The steps that a build has by now, with their logs and the content of these when wanted.
    public func steps(
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

    /// The ends of the builds that the requests of a buildset ended with, in their order.
    public func ends(ofBuildset id: Int) async throws -> [Event] {
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

    /// The result of a build, `nil` while it runs or when it is no longer kept.
    public func results(ofBuild id: Int) async throws -> Results? {
        try await store.read { try Build.find(id, in: $0)?.results }
    }

    /// The result of a step of a build, `nil` while it runs or when there is none of this name.
    public func results(ofStep name: String, inBuild id: Int) async throws -> Results? {
        try await store.read { try StepRecord.find(name, ofBuild: id, in: $0)?.results }
    }

    /// How much of each log is held, after there is room for all of them.
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

/// A log and where its content is.
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

/// Where the pages of a build's logs are.
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
    /// The last lines of output, with the header lines among and behind them.
    fileprivate func tail(_ count: Int) -> Self {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var first = lines.last?.isEmpty == true ? lines.count - 1 : lines.count
        var left = count
        while first > 0, left > 0 {
            first -= 1
            if !lines[first].hasPrefix("h") { left -= 1 }
        }
        let kept = lines.dropFirst(first).joined(separator: "\n")
        return Self(firstLine: firstLine + first, text: kept)
    }

    /// The lines without their marks, which only a stream has.
    fileprivate var unmarked: String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.map { $0.dropFirst() }.joined(separator: "\n")
    }
}
