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
        let step = try step(stepID)
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
        cache.logs.keep(log, at: log.id)
        try append(.logNew, of: log)
        return log
    }

    /// Ends a log: log finished.
    func finishLog(_ id: Int, lineCount: Int) throws {
        var log = try log(id)
        log.isComplete = true
        log.lineCount = lineCount
        try database.run(
            "UPDATE log SET line_count = ?, complete = 1 WHERE id = ?",
            [lineCount, id]
        )
        cache.logs.forget(id)
        try append(.logFinished, of: log)
    }

    private func append(_ kind: EventKind, of log: Log) throws {
        guard wanted.contains(kind) else { return }
        let build = try build(try step(log.stepID).buildID)
        try append(kind, lane: build.build.requestID, build: build) { log.json }
    }
}
