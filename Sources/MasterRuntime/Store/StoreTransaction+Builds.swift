internal import GRDB
internal import MasterKit

/// What becomes of a build's request when the build is over.
enum BuildOutcome: Sendable, Hashable {
    /// The request is finished too, and with its last request the buildset.
    case finished
    /// The request is pending again, for another build.
    case retried
}

extension StoreTransaction {
    /// Takes a pending request and begins its build: request claimed.
    ///
    /// The build gets the next number of its builder and remembers the builder's last finished
    /// build. Complete its properties with the number and call ``announce(_:)`` in the same
    /// transition; until then nobody hears of the build.
    /// - Throws: ``StoreError`` when the request is not pending.
    func claim(
        _ requestID: Int,
        builder: Builder,
        workerID: Int,
        properties: Properties
    ) throws -> Build {
        let request = try database.first(
            """
            UPDATE build_request SET claimed_at = ?
            WHERE id = ? AND claimed_at IS NULL AND complete_at IS NULL
            RETURNING \(BuildRequest.columns)
            """,
            [now.stored, requestID],
            BuildRequest.init(row:)
        )
        guard let request else {
            throw StoreError(.conflict, "the build request \(requestID) is not pending")
        }
        try append(.buildrequestClaimed, lane: requestID) { request.json }
        let number = try nextNumber(of: builder)
        let previous = try previousBuildID(of: builder, before: number)
        try database.run(
            """
            INSERT INTO build (builder_id, number, request_id, worker_id, previous_build_id,
                started_at, state_string, properties)
            VALUES (?, ?, ?, ?, ?, ?, 'starting', ?)
            """,
            [builder.id, number, requestID, workerID, previous, now.stored, properties.stored]
        )
        let id = Int(database.lastInsertedRowID)
        cache.remember(BuildFacts(id: id, requestID: requestID, previousBuildID: previous))
        return Build(
            id: id,
            number: number,
            builderID: builder.id,
            requestID: requestID,
            workerID: workerID,
            startedAt: now,
            properties: properties
        )
    }

    /// Stores the properties and the state of a build that was just begun: build new.
    func announce(_ build: Build) throws {
        try database.run(
            "UPDATE build SET state_string = ?, properties = ? WHERE id = ?",
            [build.stateString, build.properties.stored, build.id]
        )
        try append(.buildNew, of: build)
    }

    /// Says what a build does: build updated.
    func updateBuild(_ id: Int, stateString: String) throws {
        let build = try database.first(
            """
            UPDATE build SET state_string = ? WHERE id = ? AND complete_at IS NULL
            RETURNING \(Build.columns)
            """,
            [stateString, id],
            Build.init(row:)
        )
        guard let build else { throw notRunning(id) }
        try append(.buildUpdated, of: build)
    }

    /// Stores all properties of a build: properties updated, with those that have changed.
    func updateBuild(_ id: Int, properties: Properties, changed: Properties) throws {
        try database.run(
            "UPDATE build SET properties = ? WHERE id = ? AND complete_at IS NULL",
            [properties.stored, id]
        )
        guard database.changesCount == 1 else { throw notRunning(id) }
        let facts = try facts(ofBuild: id)
        try append(.propertiesUpdated, lane: facts.requestID, build: facts) { changed.json }
    }

    /// Ends a build with its request and, after the last one, its buildset.
    ///
    /// The records of all events are made after all of them have changed, so that the report of
    /// the build's end tells the truth: build finished, request finished, buildset finished.
    @discardableResult
    func finishBuild(
        _ id: Int,
        results: Results,
        stateString: String,
        properties: Properties,
        outcome: BuildOutcome = .finished
    ) throws -> Build {
        let build = try database.first(
            """
            UPDATE build SET complete_at = ?, results = ?, state_string = ?, properties = ?
            WHERE id = ? AND complete_at IS NULL
            RETURNING \(Build.columns)
            """,
            [now.stored, results.rawValue, stateString, properties.stored, id],
            Build.init(row:)
        )
        guard let build else { throw notRunning(id) }
        switch outcome {
        case .finished:
            let end = try finishRequest(build.requestID, results: results)
            try append(.buildFinished, of: build)
            try append(end)
        case .retried:
            let request = try unclaim(build.requestID)
            try append(.buildFinished, of: build)
            try append(.buildrequestUnclaimed, lane: request.id) { request.json }
        }
        return build
    }

    /// The facts of a build.
    func facts(ofBuild id: Int) throws -> BuildFacts {
        let facts = try cache.build(id) {
            try database.first(
                "SELECT request_id, previous_build_id FROM build WHERE id = ?",
                [id]
            ) { BuildFacts(id: id, requestID: $0[0], previousBuildID: $0[1]) }
        }
        guard let facts else { throw missing("build", id) }
        return facts
    }

    private func notRunning(_ id: Int) -> StoreError {
        StoreError(.conflict, "the build \(id) is not running")
    }

    private func nextNumber(of builder: Builder) throws -> Int {
        let number: Int? = try database.first(
            """
            UPDATE builder SET next_number = next_number + 1 WHERE id = ?
            RETURNING next_number - 1
            """,
            [builder.id]
        ) { $0[0] }
        guard let number else { throw missing("builder", builder.id) }
        return number
    }

    private func previousBuildID(of builder: Builder, before number: Int) throws -> Int? {
        try database.first(
            """
            SELECT id FROM build
            WHERE builder_id = ? AND number < ? AND results IS NOT NULL AND results <> ?
            ORDER BY number DESC LIMIT 1
            """,
            [builder.id, number, Results.retry.rawValue]
        ) { $0[0] }
    }
}
