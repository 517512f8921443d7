internal import GRDB
internal import MasterKit

/// What happens to a request when its build finishes.
enum BuildOutcome: Sendable, Hashable {
    /// The request finishes too, as does the buildset with its last request.
    case finished
    /// The request becomes pending again, to be built once more.
    case retried
}

extension StoreTransaction {
    /// Claims a pending request and creates its build. Event: request claimed.
    ///
    /// The build gets its builder's next number and records the builder's previous finished build.
    /// Once the number is known, create the properties and call ``announce(_:properties:)`` in the
    /// same transition; no event of the build is published before that.
    /// - Throws: ``StoreError`` if the request is not pending.
    func claim(_ requestID: Int, builder: Builder, workerID: Int) throws -> Build {
        try claimRequest(requestID)
        let number = try nextNumber(of: builder)
        let previous = try previousBuildID(of: builder, before: number)
        try database.run(
            """
            INSERT INTO build (builder_id, number, request_id, worker_id, previous_build_id,
                started_at, state_string, properties)
            VALUES (?, ?, ?, ?, ?, ?, 'starting', ?)
            """,
            [
                builder.id, number, requestID, workerID, previous, now.stored,
                Properties().stored,
            ]
        )
        let build = Build(
            id: Int(database.lastInsertedRowID), number: number, builderID: builder.id,
            requestID: requestID, workerID: workerID, startedAt: now, properties: Properties())
        cache.builds.keep(RunningBuild(build: build, previousBuildID: previous), at: build.id)
        return build
    }

    /// Stores the properties of a new build. Event: build new.
    func announce(_ id: Int, properties: Masked<Properties>) throws {
        var running = try running(id)
        running.build.properties = properties.value
        try database.run(
            "UPDATE build SET properties = ? WHERE id = ?", [properties.value.stored, id])
        cache.builds.keep(running, at: id)
        try append(.buildNew, of: running)
    }

    /// Stores all properties of a build. Event: properties updated, with those that have changed.
    ///
    /// A step that goes on after the end of its build changes nothing any more.
    func updateBuild(
        _ id: Int, properties: Masked<Properties>, changed: Masked<Properties>
    ) throws {
        var running = try build(id)
        guard running.build.completeAt == nil else { return }
        running.build.properties = properties.value
        try database.run(
            "UPDATE build SET properties = ? WHERE id = ?", [properties.value.stored, id])
        cache.builds.keep(running, at: id)
        try append(.propertiesUpdated, lane: running.build.requestID, build: running) {
            changed.value.json
        }
    }

    /// Finishes a build with its request and, if it was the last one, the buildset.
    ///
    /// The events' records are made after all rows have changed, so that the report of the build's
    /// end shows the final state. Events: build finished, request finished, buildset finished.
    @discardableResult
    func finishBuild(
        _ id: Int, results: Results, stateString: Masked<String>,
        properties: Masked<Properties>,
        outcome: BuildOutcome = .finished
    ) throws -> Build {
        var running = try running(id)
        running.build.completeAt = now
        running.build.results = results
        running.build.stateString = stateString.value
        running.build.properties = properties.value
        try database.run(
            """
            UPDATE build SET complete_at = ?, results = ?, state_string = ?, properties = ?
            WHERE id = ?
            """,
            [now.stored, results.rawValue, stateString.value, properties.value.stored, id]
        )
        cache.builds.forget(id)
        switch outcome {
        case .finished:
            let end = try finishRequest(running.build.requestID, results: results)
            try append(.buildFinished, of: running)
            try append(end)
        case .retried:
            let request = try unclaimRequest(running.build.requestID)
            try append(.buildFinished, of: running)
            try append(.buildrequestUnclaimed, of: request)
        }
        return running.build
    }

    private func running(_ id: Int) throws -> RunningBuild {
        let found = try build(id)
        guard found.build.completeAt == nil else {
            throw StoreError(.conflict, "the build \(id) is not running")
        }
        return found
    }

    private func nextNumber(of builder: Builder) throws -> Int {
        let number = try cache.nextNumbers.find(builder.id) {
            try database.number("SELECT next_number FROM builder WHERE id = ?", [builder.id])
        }
        try database.run(
            "UPDATE builder SET next_number = ? WHERE id = ?", [number + 1, builder.id])
        cache.nextNumbers.keep(number + 1, at: builder.id)
        return number
    }

    private func previousBuildID(of builder: Builder, before number: Int) throws -> Int? {
        try database.number(
            """
            SELECT id FROM build
            WHERE builder_id = ? AND number < ? AND results IS NOT NULL AND results NOT IN (?, ?)
            ORDER BY number DESC LIMIT 1
            """,
            [builder.id, number, Results.retry.rawValue, Results.skipped.rawValue]
        )
    }
}
