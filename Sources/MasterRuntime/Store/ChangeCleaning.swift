internal import FoundationEssentials
internal import GRDB
internal import MasterKit

extension Janitor {
    /// The number of changes looked at at once, and removed in one transaction.
    private static let changeBatch = 250

    /// Removes the changes that came before a time, except those that are still needed: by a build
    /// that is stored, by a pending request, or by a scheduler that has not built or seen them.
    ///
    /// - Parameters:
    ///   - cutoff: The time, in seconds since 1970.
    ///   - store: The store.
    ///   - count: Is told of each batch that was removed.
    /// - Throws: ``StoreError``, or `CancellationError`.
    static func removeChanges(
        before cutoff: Double, in store: Store, counting count: (Int) -> Void
    ) async throws {
        // Schedulers collect only later changes from now on.
        let followed = try await store.read { try FollowedByAll(in: $0) }
        var cursor = 0
        while true {
            let page = try await store.read { [cursor] database in
                try database.changes(
                    after: cursor, upTo: followed.seen, before: cutoff, limit: changeBatch)
            }
            guard let last = page.last else { return }
            cursor = last
            let kept = page.filter { !followed.collected.contains($0) }
            let unneeded = try await store.read { database in
                try kept.filter { try !database.isNeeded(change: $0) }
            }
            guard !unneeded.isEmpty else { continue }
            count(
                try await store.write { transaction in
                    let database = transaction.database
                    let ids = try unneeded.filter { try !database.isNeeded(change: $0) }
                    for id in ids { try database.remove(change: id) }
                    return ids.count
                })
            try await Task.sleep(for: pause)
        }
    }
}

/// How far schedulers have followed the changes, as their stored states tell.
private struct FollowedByAll: Sendable {
    /// The last change that all have seen.
    let seen: Int
    /// Those that a scheduler has collected for a later build.
    let collected: Set<Int>

    init(in database: Database) throws {
        let states = try database.all(
            """
            SELECT state FROM service_state WHERE name >= 'schedulers/' AND name < 'schedulers0'
            """
        ) { try JSONValue(stored: $0[0] as String) }
        seen = states.compactMap { $0["seen"]?.intValue }.min() ?? .max
        collected = Set(
            states.flatMap { $0["collected"]?.arrayValue ?? [] }
                .flatMap { $0["changes"]?.arrayValue ?? [] }.compactMap(\.intValue))
    }
}

extension Database {
    /// The oldest changes after an id, up to the first that did not come before a time.
    fileprivate func changes(
        after id: Int, upTo last: Int, before cutoff: Double, limit: Int
    ) throws -> [Int] {
        let rows = try all(
            """
            SELECT change.id, created_at FROM change
            JOIN source_stamp ON source_stamp.id = source_stamp_id
            WHERE change.id > ? AND change.id <= ? ORDER BY change.id LIMIT ?
            """, [id, last, limit]
        ) { (id: $0[0] as Int, createdAt: $0[1] as Double) }
        return rows.prefix { $0.createdAt < cutoff }.map(\.id)
    }

    /// Whether a build that is stored or still to come was made of a change.
    fileprivate func isNeeded(change id: Int) throws -> Bool {
        try number(
            """
            WITH RECURSIVE asked (request) AS (
                SELECT build_request.id FROM buildset_change JOIN build_request USING (buildset_id)
                    WHERE change_id = ?
                UNION SELECT collapsed_into FROM build_request JOIN asked
                    ON build_request.id = asked.request WHERE collapsed_into IS NOT NULL)
            SELECT 1 FROM asked JOIN build_request ON build_request.id = asked.request
            WHERE complete_at IS NULL
                OR EXISTS (SELECT 1 FROM build WHERE request_id = build_request.id) LIMIT 1
            """, [id]) != nil
    }

    /// Removes a change, and what says that a buildset was made of it.
    fileprivate func remove(change id: Int) throws {
        let stamp = try number("SELECT source_stamp_id FROM change WHERE id = ?", [id])
        try run("DELETE FROM change WHERE id = ?", [id])
        try run("DELETE FROM source_stamp WHERE id = ?", [stamp])
    }
}
