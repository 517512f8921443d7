internal import FoundationEssentials
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
        step.locksAcquiredAt = now
        step.stateString = stateString.value
        try database.run(
            """
            UPDATE step SET started_at = ?, locks_acquired_at = ?, state_string = ? WHERE id = ?
            """, [now.stored, now.stored, stateString.value, id])
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

    /// Records that a step waits for locks. Event: step updated.
    func awaitLocks(_ id: Int, stateString: Masked<String>) throws {
        var step = try step(id)
        guard step.completeAt == nil else { return }
        step.locksAcquiredAt = nil
        step.stateString = stateString.value
        try database.run(
            "UPDATE step SET locks_acquired_at = NULL, state_string = ? WHERE id = ?",
            [stateString.value, id])
        cache.steps.keep(step, at: id)
        try append(.stepUpdated, of: step)
    }

    /// Records that a step has got its locks, and adds the time to that of its build. Event: step
    /// updated.
    func acquireLocks(_ id: Int, stateString: Masked<String>) throws {
        var step = try step(id)
        guard step.completeAt == nil else { return }
        step.locksAcquiredAt = now
        step.stateString = stateString.value
        try database.run(
            "UPDATE step SET locks_acquired_at = ?, state_string = ? WHERE id = ?",
            [now.stored, stateString.value, id])
        cache.steps.keep(step, at: id)
        var running = try build(step.buildID)
        let seconds = now.timeIntervalSince(step.startedAt ?? now)
        running.build.locksDuration += .seconds(seconds)
        try database.run(
            "UPDATE build SET locks_duration = locks_duration + ? WHERE id = ?",
            [seconds, step.buildID])
        cache.builds.keep(running, at: step.buildID)
        try append(.stepUpdated, of: step)
    }

    /// Attaches a link to a step that has not ended, in place of one with the same name. Event: step
    /// updated.
    func addURL(_ id: Int, name: Masked<String>, url: Masked<String>) throws {
        var step = try step(id)
        guard step.completeAt == nil else { return }
        let link = StepURL(name: name.value, url: url.value)
        if let index = step.urls.firstIndex(where: { $0.name == link.name }) {
            step.urls[index] = link
        } else {
            step.urls.append(link)
        }
        try database.run("UPDATE step SET urls = ? WHERE id = ?", [step.urls.stored, id])
        cache.steps.keep(step, at: id)
        try append(.stepUpdated, of: step)
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
        let start = step.startedAt ?? now
        endedSteps.append((results, max(0, now.timeIntervalSince(start))))
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
