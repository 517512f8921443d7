internal import GRDB
internal import MasterKit

/// A request that has come to its end, with its buildset when it was the last one.
struct RequestEnd {
    let request: BuildRequest
    let buildset: Buildset?
}

extension StoreTransaction {
    /// Takes a pending request: request claimed.
    func claimRequest(_ id: Int) throws {
        var request = try request(id)
        guard request.claimedAt == nil, request.completeAt == nil else {
            throw StoreError(.conflict, "the build request \(id) is not pending")
        }
        request.claimedAt = now
        try database.run(
            "UPDATE build_request SET claimed_at = ? WHERE id = ?",
            [now.stored, id]
        )
        cache.requests.keep(request, at: id)
        try append(.buildrequestClaimed, of: request)
    }

    /// Cancels a request that no build has been started for.
    ///
    /// In order: request cancelled, request finished and, for the last one, buildset finished.
    /// - Returns: Whether the request was still pending.
    @discardableResult
    func cancelRequest(_ id: Int) throws -> Bool {
        let request = try request(id)
        guard request.claimedAt == nil, request.completeAt == nil else { return false }
        let end = try finishRequest(id, results: .cancelled)
        try append(.buildrequestCancelled, of: end.request)
        try append(end)
        return true
    }

    /// Ends a request and, when it was the last one, its buildset, and tells nobody yet.
    func finishRequest(_ id: Int, results: Results) throws -> RequestEnd {
        var request = try request(id)
        request.completeAt = now
        request.results = results
        try database.run(
            "UPDATE build_request SET complete_at = ?, results = ? WHERE id = ?",
            [now.stored, results.rawValue, id]
        )
        cache.requests.keep(request, at: id)
        return RequestEnd(request: request, buildset: try finishBuildset(request.buildsetID))
    }

    /// Tells of the end of a request and of its buildset, which hardly change again.
    func append(_ end: RequestEnd) throws {
        try append(.buildrequestFinished, of: end.request)
        cache.requests.forget(end.request.id)
        guard let buildset = end.buildset else { return }
        try append(.buildsetFinished, of: buildset)
        cache.buildsets.forget(buildset.id)
    }

    /// Makes a claimed request pending again, and tells nobody yet.
    func unclaimRequest(_ id: Int) throws -> BuildRequest {
        var request = try request(id)
        request.claimedAt = nil
        try database.run("UPDATE build_request SET claimed_at = NULL WHERE id = ?", [id])
        cache.requests.keep(request, at: id)
        return request
    }

    private func finishBuildset(_ id: Int) throws -> Buildset? {
        let ends = try database.numbers(
            "SELECT ifnull(results, -1) FROM build_request WHERE buildset_id = ?",
            [id]
        ).map(Results.init(rawValue:))
        var buildset = try buildset(id)
        guard !ends.contains(nil), buildset.completeAt == nil else { return nil }
        let worst = ends.reduce(.success) { Results.worst($0, $1) ?? .success }
        buildset.completeAt = now
        buildset.results = worst
        try database.run(
            "UPDATE buildset SET complete_at = ?, results = ? WHERE id = ?",
            [now.stored, worst.rawValue, id]
        )
        cache.buildsets.keep(buildset, at: id)
        return buildset
    }
}
