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
        try append(.stepNew, of: step)
        return step
    }

    /// Starts a step: step started.
    @discardableResult
    func startStep(_ id: Int, stateString: String = "running") throws -> StepRecord {
        try change(
            id,
            event: .stepStarted,
            """
            UPDATE step SET started_at = ?, state_string = ? WHERE id = ?
            RETURNING \(StepRecord.columns)
            """,
            [now.stored, stateString, id]
        )
    }

    /// Says what a step does: step updated.
    @discardableResult
    func updateStep(_ id: Int, stateString: String) throws -> StepRecord {
        try change(
            id,
            event: .stepUpdated,
            "UPDATE step SET state_string = ? WHERE id = ? RETURNING \(StepRecord.columns)",
            [stateString, id]
        )
    }

    /// Ends a step: step finished.
    @discardableResult
    func finishStep(
        _ id: Int,
        results: Results,
        stateString: String,
        isHidden: Bool = false
    ) throws -> StepRecord {
        try change(
            id,
            event: .stepFinished,
            """
            UPDATE step SET complete_at = ?, results = ?, state_string = ?, hidden = ? WHERE id = ?
            RETURNING \(StepRecord.columns)
            """,
            [now.stored, results.rawValue, stateString, isHidden, id]
        )
    }

    private func change(
        _ id: Int,
        event: EventKind,
        _ sql: String,
        _ arguments: StatementArguments
    ) throws -> StepRecord {
        guard let step = try database.first(sql, arguments, StepRecord.init(row:)) else {
            throw missing("step", id)
        }
        try append(event, of: step)
        return step
    }

    private func append(_ kind: EventKind, of step: StepRecord) throws {
        guard wanted.contains(kind) else { return }
        let build = try facts(ofBuild: step.buildID)
        try append(kind, lane: build.requestID, build: build) { step.json }
    }
}
