internal import GRDB
internal import MasterKit

/// A request that has come to its end, with its buildset when it was the last one.
struct RequestEnd {
    let request: BuildRequest
    let buildset: Buildset?
}

extension StoreTransaction {
    /// Cancels a request that no build has been started for.
    ///
    /// In order: request cancelled, request finished and, for the last one, buildset finished.
    /// - Returns: Whether the request was still pending.
    @discardableResult
    func cancelRequest(_ id: Int) throws -> Bool {
        let isPending: Bool? = try database.first(
            "SELECT claimed_at IS NULL AND complete_at IS NULL FROM build_request WHERE id = ?",
            [id]
        ) { $0[0] }
        guard isPending == true else { return false }
        let end = try finishRequest(id, results: .cancelled)
        try append(.buildrequestCancelled, lane: id) { end.request.json }
        try append(end)
        return true
    }

    /// Ends a request and, when it was the last one, its buildset, and tells nobody yet.
    func finishRequest(_ id: Int, results: Results) throws -> RequestEnd {
        let request = try database.first(
            """
            UPDATE build_request SET complete_at = ?, results = ? WHERE id = ?
            RETURNING \(BuildRequest.columns)
            """,
            [now.stored, results.rawValue, id],
            BuildRequest.init(row:)
        )
        guard let request else { throw missing("build request", id) }
        return RequestEnd(request: request, buildset: try finishBuildset(request.buildsetID))
    }

    /// Tells of the end of a request and of its buildset.
    func append(_ end: RequestEnd) throws {
        try append(.buildrequestFinished, lane: end.request.id) { end.request.json }
        guard var buildset = end.buildset, wanted.contains(.buildsetFinished) else { return }
        buildset.sourceStamps = try SourceStamp.all(ofBuildset: buildset.id, in: database)
        try append(.buildsetFinished, lane: buildset.lane) { buildset.json }
    }

    /// Makes a claimed request pending again, and tells nobody yet.
    func unclaim(_ id: Int) throws -> BuildRequest {
        let request = try database.first(
            """
            UPDATE build_request SET claimed_at = NULL WHERE id = ?
            RETURNING \(BuildRequest.columns)
            """,
            [id],
            BuildRequest.init(row:)
        )
        guard let request else { throw missing("build request", id) }
        return request
    }

    private func finishBuildset(_ id: Int) throws -> Buildset? {
        let ends = try database.all(
            "SELECT results FROM build_request WHERE buildset_id = ?",
            [id]
        ) { Results(stored: $0[0]) }
        guard !ends.contains(nil) else { return nil }
        let worst = ends.reduce(.success) { Results.worst($0, $1) ?? .success }
        return try database.first(
            """
            UPDATE buildset SET complete_at = ?, results = ? WHERE id = ? AND complete_at IS NULL
            RETURNING \(Buildset.columns)
            """,
            [now.stored, worst.rawValue, id],
            Buildset.init(row:)
        )
    }
}
