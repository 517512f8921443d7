internal import GRDB
internal import MasterKit

extension StoreTransaction {
    /// Adds a step to a build: step new.
    ///
    /// - Parameters:
    ///   - id: An id of ``Store/makeStepID()``, or `nil` for the next one.
    ///   - buildID: The build.
    ///   - number: The position in the build, from 1.
    ///   - name: The name in this build.
    /// - Returns: The step.
    /// - Throws: What the database says.
    @discardableResult
    func newStep(id: Int? = nil, buildID: Int, number: Int, name: String) throws -> StepRecord {
        try database.run(
            """
            INSERT INTO step (id, build_id, number, name, state_string)
            VALUES (?, ?, ?, ?, 'pending')
            """,
            [id, buildID, number, name]
        )
        let step = StepRecord(
            id: Int(database.lastInsertedRowID),
            number: number,
            buildID: buildID,
            name: name
        )
        cache.steps.keep(step, at: step.id)
        try append(.stepNew, of: step)
        return step
    }

    /// Starts a step: step started.
    @discardableResult
    func startStep(_ id: Int, stateString: String = "running") throws -> StepRecord {
        var step = try step(id)
        step.startedAt = now
        step.stateString = stateString
        try database.run(
            "UPDATE step SET started_at = ?, state_string = ? WHERE id = ?",
            [now.stored, stateString, id]
        )
        cache.steps.keep(step, at: id)
        try append(.stepStarted, of: step)
        return step
    }

    /// Says what a step does: step updated.
    @discardableResult
    func updateStep(_ id: Int, stateString: String) throws -> StepRecord {
        var step = try step(id)
        step.stateString = stateString
        try database.run("UPDATE step SET state_string = ? WHERE id = ?", [stateString, id])
        cache.steps.keep(step, at: id)
        try append(.stepUpdated, of: step)
        return step
    }

    /// Ends a step: step finished.
    @discardableResult
    func finishStep(
        _ id: Int,
        results: Results,
        stateString: String,
        isHidden: Bool = false
    ) throws -> StepRecord {
        var step = try step(id)
        step.completeAt = now
        step.results = results
        step.stateString = stateString
        step.isHidden = isHidden
        try database.run(
            """
            UPDATE step SET complete_at = ?, results = ?, state_string = ?, hidden = ? WHERE id = ?
            """,
            [now.stored, results.rawValue, stateString, isHidden, id]
        )
        cache.steps.forget(id)
        try append(.stepFinished, of: step)
        return step
    }
}
