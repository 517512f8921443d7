internal import GRDB
internal import MasterKit

extension StoreTransaction {
    /// The builder with a name, created if it is new. It keeps its id and its build numbers.
    func builder(named name: String, description: String?, tags: [String]) throws -> Builder {
        let tagsText = JSONWriter.compact.string(.array(tags.map { .string($0) }))
        let builder = try database.first(
            """
            INSERT INTO builder (name, description, tags) VALUES (?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET
                description = excluded.description, tags = excluded.tags
            RETURNING \(Builder.columns)
            """,
            [name, description, tagsText],
            Builder.init(row:)
        )
        guard let builder else {
            throw StoreError(.transition, "the builder \(name) could not be kept")
        }
        cache.builders.keep(builder, at: builder.id)
        return builder
    }

    /// The id of the worker with a name, created if it is new.
    func worker(named name: String) throws -> Int {
        if let known = try database.number("SELECT id FROM worker WHERE name = ?", [name]) {
            return known
        }
        try database.run("INSERT INTO worker (name) VALUES (?)", [name])
        return Int(database.lastInsertedRowID)
    }

    /// All builders, also those that the file no longer has.
    func builders() throws -> [(id: Int, name: String)] {
        try database.all("SELECT id, name FROM builder ORDER BY id") { ($0[0], $0[1]) }
    }

    /// Why workers are paused, by their ids.
    func pausedWorkers() throws -> [Int: String] {
        Dictionary(
            uniqueKeysWithValues: try database.all(
                "SELECT id, pause_reason FROM worker WHERE paused"
            ) { ($0[0], $0[1]) })
    }

    /// Stores why no builds may begin on a worker, or with `nil` that they may.
    func pause(worker id: Int, reason: Masked<String>?) throws {
        try database.run(
            "UPDATE worker SET paused = ?, pause_reason = ? WHERE id = ?",
            [reason == nil ? 0 : 1, reason?.value ?? "", id])
    }

    /// Stores a buildset with a pending request per builder. Events: buildset new, requests new.
    ///
    /// - Parameters:
    ///   - buildset: The buildset; its id and submission time are set here.
    ///   - builders: The builders, in order; at least one.
    ///   - properties: The initial properties of the builds.
    ///   - priority: Higher priorities are built first.
    ///   - waitedFor: Whether a parent build waits for the builds.
    ///   - isCollapsible: Whether later requests may make the builds superfluous.
    ///   - origin: The origin of the request.
    ///   - references: References to the secrets in properties and source stamps.
    /// - Returns: The stored buildset and requests, with their ids.
    /// - Throws: ``StoreError`` if there are no builders, or a database error.
    func submit(
        _ buildset: Masked<Buildset>, builders: [Builder], properties: Masked<Properties>,
        priority: Int = 0,
        waitedFor: Bool = false, isCollapsible: Bool = true, origin: RequestOrigin = .run,
        references: String? = nil
    ) throws -> Submission {
        guard !builders.isEmpty else {
            throw StoreError(.conflict, "a buildset needs a builder that is to build it")
        }
        let buildset = try insert(
            buildset, properties: properties, origin: origin, references: references)
        var requests: [BuildRequest] = []
        for builder in builders {
            requests.append(
                try insertRequest(
                    of: buildset, builder: builder, priority: priority, waitedFor: waitedFor,
                    isCollapsible: isCollapsible)
            )
        }
        try append(.buildsetNew, of: buildset)
        for request in requests {
            try append(.buildrequestNew, of: request)
        }
        return Submission(buildset: buildset, requests: requests)
    }

    private func insert(
        _ wanted: Masked<Buildset>, properties: Masked<Properties>, origin: RequestOrigin,
        references: String?
    ) throws -> Buildset {
        var buildset = wanted.value
        buildset.submittedAt = now
        buildset.completeAt = nil
        buildset.results = nil
        try database.run(
            """
            INSERT INTO buildset (reason, submitted_at, parent_build_id, parent_relationship,
                rebuilt_build_id, properties, origin, secret_references)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                buildset.reason, now.stored, buildset.parentBuildID, buildset.parentRelationship,
                buildset.rebuiltBuildID, properties.value.stored, origin.rawValue, references,
            ]
        )
        buildset.id = Int(database.lastInsertedRowID)
        for index in buildset.sourceStamps.indices {
            try insert(&buildset.sourceStamps[index], buildsetID: buildset.id)
        }
        cache.buildsets.keep(buildset, at: buildset.id)
        return buildset
    }

    /// Stores a source stamp, of a buildset or of a change.
    func insert(_ stamp: inout SourceStamp, buildsetID: Int?) throws {
        try database.run(
            """
            INSERT INTO source_stamp (buildset_id, branch, revision, repository, project,
                codebase, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                buildsetID, stamp.branch, stamp.revision, stamp.repository, stamp.project,
                stamp.codebase, stamp.createdAt.stored,
            ]
        )
        stamp.id = Int(database.lastInsertedRowID)
    }

    private func insertRequest(
        of buildset: Buildset, builder: Builder, priority: Int,
        waitedFor: Bool, isCollapsible: Bool
    ) throws -> BuildRequest {
        try database.run(
            """
            INSERT INTO build_request (buildset_id, builder_id, priority, submitted_at, waited_for,
                collapsible)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [buildset.id, builder.id, priority, now.stored, waitedFor, isCollapsible]
        )
        let request = BuildRequest(
            id: Int(database.lastInsertedRowID), buildsetID: buildset.id, builderID: builder.id,
            priority: priority, submittedAt: now, waitedFor: waitedFor)
        cache.requests.keep(request, at: request.id)
        return request
    }
}

/// The origin of a build request.
enum RequestOrigin: String, Sendable {
    /// The `run` command, or a service running with it; pending requests are dropped when it exits.
    case run
    /// A long-running master; if it exits first, the next master builds them.
    case service
}

extension Buildset {
    /// The lane of a buildset's own events, which is distinct from those of all requests.
    var lane: Int { -id }
}

/// A finished request, and its buildset if it was the last one.
struct RequestEnd {
    let request: BuildRequest
    let buildset: Buildset?
}

extension StoreTransaction {
    /// Claims a pending request. Event: request claimed.
    func claimRequest(_ id: Int) throws {
        var request = try request(id)
        guard request.claimedAt == nil, request.completeAt == nil else {
            throw StoreError(.conflict, "the build request \(id) is not pending")
        }
        request.claimedAt = now
        try database.run("UPDATE build_request SET claimed_at = ? WHERE id = ?", [now.stored, id])
        cache.requests.keep(request, at: id)
        try append(.buildrequestClaimed, of: request)
    }

    /// Cancels a request that has not been claimed.
    ///
    /// Events, in order: request cancelled, request finished and, if it was the last one, buildset
    /// finished.
    /// - Returns: Whether the request was still pending.
    @discardableResult
    func cancelRequest(_ id: Int) throws -> Bool {
        let request = try request(id)
        guard request.claimedAt == nil, request.completeAt == nil else { return false }
        let end = try finishRequest(id, results: .cancelled)
        try append(.buildrequestCancelled, of: end.request)
        try appendCollapsed(into: end.request)
        try append(end)
        return true
    }

    /// Changes the priority of a request that has not been claimed.
    ///
    /// - Returns: Whether the request was still pending.
    func prioritizeRequest(_ id: Int, _ priority: Int) throws -> Bool {
        var request = try request(id)
        guard request.claimedAt == nil, request.completeAt == nil else { return false }
        request.priority = priority
        try database.run(
            "UPDATE build_request SET priority = ? WHERE id = ?", [priority, id])
        cache.requests.keep(request, at: id)
        return true
    }

    /// Finishes a request and, if it was the last one, its buildset, without adding events.
    func finishRequest(_ id: Int, results: Results) throws -> RequestEnd {
        var request = try request(id)
        request.completeAt = now
        request.results = results
        // One that was never built is no longer pending, either.
        let claimedAt = request.claimedAt ?? now
        request.claimedAt = claimedAt
        try database.run(
            "UPDATE build_request SET complete_at = ?, results = ?, claimed_at = ? WHERE id = ?",
            [now.stored, results.rawValue, claimedAt.stored, id])
        cache.requests.keep(request, at: id)
        return RequestEnd(request: request, buildset: try finishBuildset(request.buildsetID))
    }

    /// Adds the events of a finished request and buildset, and drops both from the cache.
    func append(_ end: RequestEnd) throws {
        try append(.buildrequestFinished, of: end.request)
        cache.requests.forget(end.request.id)
        guard let buildset = end.buildset else { return }
        try append(.buildsetFinished, of: buildset)
        cache.buildsets.forget(buildset.id)
    }

    /// Makes a claimed request pending again, without adding an event.
    func unclaimRequest(_ id: Int) throws -> BuildRequest {
        var request = try request(id)
        request.claimedAt = nil
        try database.run("UPDATE build_request SET claimed_at = NULL WHERE id = ?", [id])
        cache.requests.keep(request, at: id)
        return request
    }

    /// How often builds of a request have ended with retry, except when the master stopped.
    func retries(of id: Int) throws -> Int {
        try database.number("SELECT retries FROM build_request WHERE id = ?", [id]) ?? 0
    }

    func noteRetry(of id: Int) throws {
        try database.run("UPDATE build_request SET retries = retries + 1 WHERE id = ?", [id])
    }

    private func finishBuildset(_ id: Int) throws -> Buildset? {
        var buildset = try buildset(id)
        let open = try database.number(
            "SELECT id FROM build_request WHERE buildset_id = ? AND complete_at IS NULL LIMIT 1",
            [id])
        guard open == nil, buildset.completeAt == nil else { return nil }
        let ends = try database.numbers(
            "SELECT DISTINCT results FROM build_request WHERE buildset_id = ?", [id])
        let worst = ends.map(Results.init(rawValue:)).reduce(.success) {
            Results.worst($0, $1) ?? .success
        }
        buildset.completeAt = now
        buildset.results = worst
        try database.run(
            "UPDATE buildset SET complete_at = ?, results = ? WHERE id = ?",
            [now.stored, worst.rawValue, id])
        cache.buildsets.keep(buildset, at: id)
        return buildset
    }
}
