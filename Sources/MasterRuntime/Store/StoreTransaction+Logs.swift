internal import GRDB
internal import MasterKit

extension StoreTransaction {
    /// Adds a log to a step: log new. Its content goes to the file that ``LogFile`` names.
    ///
    /// - Parameters:
    ///   - id: An id of ``Store/makeLogID()``, or `nil` for the next one.
    ///   - stepID: The step.
    ///   - name: The name.
    ///   - slug: The name in addresses and of the file, unique in the step.
    ///   - kind: How the content is to be read.
    /// - Returns: The log.
    /// - Throws: ``StoreError`` when there is no such step.
    @discardableResult
    func newLog(
        id: Int? = nil,
        stepID: Int,
        name: String,
        slug: String,
        kind: Log.Kind
    ) throws -> Log {
        guard let step = try StepRecord.find(stepID, in: database) else {
            throw missing("step", stepID)
        }
        let path = LogFile.path(buildID: step.buildID, stepNumber: step.number, slug: slug)
        try database.run(
            "INSERT INTO log (id, step_id, name, slug, kind, path) VALUES (?, ?, ?, ?, ?, ?)",
            [id, stepID, name, slug, kind.rawValue, path]
        )
        let log = Log(
            id: Int(database.lastInsertedRowID),
            stepID: stepID,
            name: name,
            slug: slug,
            kind: kind
        )
        try append(.logNew, of: log)
        return log
    }

    /// Ends a log: log finished.
    func finishLog(_ id: Int, lineCount: Int) throws {
        try change(
            id,
            event: .logFinished,
            "UPDATE log SET line_count = ?, complete = 1 WHERE id = ? RETURNING \(Log.columns)",
            [lineCount, id]
        )
    }

    private func change(
        _ id: Int,
        event: EventKind,
        _ sql: String,
        _ arguments: StatementArguments
    ) throws {
        guard let log = try database.first(sql, arguments, Log.init(row:)) else {
            throw missing("log", id)
        }
        try append(event, of: log)
    }

    private func append(_ kind: EventKind, of log: Log) throws {
        guard wanted.contains(kind) else { return }
        let build = try cache.build(ofStep: log.stepID) {
            try database.first("SELECT build_id FROM step WHERE id = ?", [log.stepID]) {
                try facts(ofBuild: $0[0])
            }
        }
        guard let build else { throw missing("step", log.stepID) }
        try append(kind, lane: build.requestID, build: build) { log.json }
    }
}
