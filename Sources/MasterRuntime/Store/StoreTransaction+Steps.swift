internal import GRDB
internal import MasterKit

extension StoreTransaction {
    /// Adds a step to a build. Event: step new.
    ///
    /// - Parameters:
    ///   - id: An id from ``Store/makeStepID()``, or `nil` for the next one.
    ///   - buildID: The build.
    ///   - number: The position in the build, from 1.
    ///   - name: The step's name, unique in the build.
    /// - Returns: The step.
    /// - Throws: A database error.
    @discardableResult
    func newStep(id: Int? = nil, buildID: Int, number: Int, name: Masked<String>) throws
        -> StepRecord
    {
        try database.run(
            """
            INSERT INTO step (id, build_id, number, name, state_string)
            VALUES (?, ?, ?, ?, 'pending')
            """,
            [id, buildID, number, name.value]
        )
        let step = StepRecord(
            id: Int(database.lastInsertedRowID), number: number, buildID: buildID,
            name: name.value)
        cache.steps.keep(step, at: step.id)
        try append(.stepNew, of: step)
        return step
    }

    /// Starts a step. Event: step started.
    @discardableResult
    func startStep(_ id: Int, stateString: Masked<String> = "running") throws -> StepRecord {
        var step = try step(id)
        step.startedAt = now
        step.stateString = stateString.value
        try database.run(
            "UPDATE step SET started_at = ?, state_string = ? WHERE id = ?",
            [now.stored, stateString.value, id])
        cache.steps.keep(step, at: id)
        try append(.stepStarted, of: step)
        return step
    }

    /// Sets the state string of a step that has not ended. Event: step updated.
    @discardableResult
    func updateStep(_ id: Int, stateString: Masked<String>) throws -> StepRecord {
        var step = try step(id)
        guard step.completeAt == nil else { return step }
        step.stateString = stateString.value
        try database.run("UPDATE step SET state_string = ? WHERE id = ?", [stateString.value, id])
        cache.steps.keep(step, at: id)
        try append(.stepUpdated, of: step)
        return step
    }

    /// Finishes a step. Event: step finished.
    @discardableResult
    func finishStep(
        _ id: Int, results: Results, stateString: Masked<String>,
        isHidden: Bool = false
    ) throws -> StepRecord {
        var step = try step(id)
        step.completeAt = now
        step.results = results
        step.stateString = stateString.value
        step.isHidden = isHidden
        try database.run(
            """
            UPDATE step SET complete_at = ?, results = ?, state_string = ?, hidden = ? WHERE id = ?
            """,
            [now.stored, results.rawValue, stateString.value, isHidden, id]
        )
        cache.steps.forget(id)
        try append(.stepFinished, of: step)
        return step
    }
}

extension StoreTransaction {
    /// Adds a log to a step. Its content is written to the file named by ``LogFile``. Event: log
    /// new.
    ///
    /// - Parameters:
    ///   - id: An id from ``Store/makeLogID()``, or `nil` for the next one.
    ///   - stepID: The step.
    ///   - name: The name.
    ///   - slug: The name for URLs and the file, unique in the step.
    ///   - kind: The format of the content.
    /// - Returns: The log.
    /// - Throws: ``StoreError`` if the step does not exist.
    @discardableResult
    func newLog(
        id: Int? = nil, stepID: Int, name: Masked<String>, slug: String, kind: LogKind
    ) throws -> Log {
        let step = try step(stepID)
        let build = try build(step.buildID).build
        let path = LogFile.path(
            builder: try builder(build.builderID).name, build: build.number,
            step: (step.number, step.name), slug: slug)
        try database.run(
            "INSERT INTO log (id, step_id, name, slug, kind, path) VALUES (?, ?, ?, ?, ?, ?)",
            [id, stepID, name.value, slug, kind.rawValue, path])
        let log = Log(
            id: Int(database.lastInsertedRowID), stepID: stepID, name: name.value, slug: slug,
            kind: kind)
        cache.logs.keep(log, at: log.id)
        try append(.logNew, of: log)
        return log
    }

    /// Finishes a log. Event: log finished.
    func finishLog(_ id: Int, lineCount: Int) throws {
        var log = try log(id)
        log.isComplete = true
        log.lineCount = lineCount
        try database.run(
            "UPDATE log SET line_count = ?, complete = 1 WHERE id = ?", [lineCount, id])
        cache.logs.forget(id)
        try append(.logFinished, of: log)
    }

    private func append(_ kind: EventKind, of log: Log) throws {
        guard wanted.contains(kind) else { return }
        let build = try build(try step(log.stepID).buildID)
        try append(kind, lane: build.build.requestID, build: build) { log.json }
    }
}

extension StoreTransaction {
    /// Finishes every unfinished build with its steps and logs, because they are no longer running.
    ///
    /// - Parameters:
    ///   - results: Exception, or retry to make the requests pending again.
    ///   - reason: A short reason, such as `master stopped`.
    ///   - lineCounts: The line counts of the unfinished logs, by log id.
    /// - Returns: The builds that were finished, oldest first.
    /// - Throws: A database error.
    func endUnfinished(
        as results: Results, reason: String, lineCounts: [Int: Int]
    ) throws -> [Build] {
        try Build.unfinished(in: database).map { build in
            for step in try StepRecord.unfinished(ofBuild: build.id, in: database) {
                for log in try Log.all(ofStep: step.id, in: database) where !log.isComplete {
                    try finishLog(log.id, lineCount: lineCounts[log.id] ?? log.lineCount)
                }
                try finishStep(
                    step.id, results: results,
                    stateString: Masked(alreadyMasked: "\(step.stateString) (\(results.name))"))
            }
            return try finishBuild(
                build.id, results: results,
                stateString: Masked(alreadyMasked: "\(results.name) (\(reason))"),
                properties: Masked(alreadyMasked: build.properties),
                outcome: results == .retry ? .retried : .finished)
        }
    }

    /// Cancels the pending requests of earlier runs.
    ///
    /// - Returns: The number of cancelled requests.
    @discardableResult
    func cancelRequestsOfRuns() throws -> Int {
        let pending = try database.numbers(
            """
            SELECT build_request.id FROM build_request JOIN buildset ON buildset.id = buildset_id
            WHERE claimed_at IS NULL AND build_request.complete_at IS NULL AND origin = ?
            """, [RequestOrigin.run.rawValue])
        for id in pending { try cancelRequest(id) }
        return pending.count
    }

    /// The initial values of a buildset's builds, with secrets restored.
    ///
    /// If a secret no longer exists, it is reported in `missing`.
    func submitted(_ buildset: Buildset, _ secrets: SecretValues) throws -> SubmittedValues {
        let row = try database.first(
            "SELECT properties, secret_references FROM buildset WHERE id = ?", [buildset.id]
        ) { (properties: $0[0] as String, references: $0[1] as String?) }
        guard let row else { throw StoreError(.conflict, "buildset \(buildset.id) is gone") }
        var values = SubmittedValues(
            properties: try Properties(stored: row.properties), sourceStamps: buildset.sourceStamps)
        guard let references = try row.references.map({ try JSONValue(stored: $0) }) else {
            return values
        }
        do throws(SecretReferences.Missing) {
            try SecretReferences(secrets: secrets).restore(
                &values.properties, &values.sourceStamps, from: references)
        } catch {
            values.missing = error
        }
        return values
    }
}

/// The initial properties and source stamps of a build.
struct SubmittedValues: Sendable {
    var properties: Properties
    var sourceStamps: [SourceStamp]
    /// A secret in these values that no longer exists.
    var missing: SecretReferences.Missing?
}

extension Store {
    /// Finishes whatever a master left unfinished when it exited without closing the store.
    ///
    /// - Parameters:
    ///   - results: Exception, or retry to make the requests pending again.
    ///   - reason: A short reason, such as `master stopped`.
    /// - Returns: The builds that were finished, oldest first.
    /// - Throws: ``StoreError``, also if a log cannot be read.
    func endUnfinished(as results: Results, reason: String) async throws(StoreError) -> [Build] {
        let logs = try await read { try Log.unfinishedPaths(in: $0) }
        let lineCounts = try await lineCounts(of: logs)
        return try await write {
            try $0.endUnfinished(as: results, reason: reason, lineCounts: lineCounts)
        }
    }

    private func lineCounts(of paths: [Int: String]) async throws(StoreError) -> [Int: Int] {
        guard !paths.isEmpty else { return [:] }
        let folder = folder
        do {
            return try await OwnThread.run {
                try paths.mapValues { try LogFile(path: folder + "/" + $0).lineCount() }
            }
        } catch {
            throw StoreError(.system, "a log cannot be read: \(error)", cause: error)
        }
    }
}

extension StepRecord {
    fileprivate static func unfinished(
        ofBuild id: Int, in database: Database
    ) throws -> [StepRecord] {
        try all(ofBuild: id, in: database).filter { $0.completeAt == nil }
    }
}

extension Log {
    /// The content paths of the unfinished logs, by log id.
    ///
    /// Starts from the few unfinished builds to avoid scanning all logs.
    fileprivate static func unfinishedPaths(in database: Database) throws -> [Int: String] {
        let paths: [(Int, String)] = try database.all(
            """
            SELECT log.id, path FROM build
            CROSS JOIN step ON step.build_id = build.id CROSS JOIN log ON log.step_id = step.id
            WHERE build.complete_at IS NULL AND log.complete = 0
            """
        ) { ($0[0], $0[1]) }
        return Dictionary(uniqueKeysWithValues: paths)
    }
}
