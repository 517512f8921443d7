internal import FoundationEssentials
internal import GRDB

extension StoreTransaction {
    /// Removes what is kept for reporters and needed by none of them any more.
    ///
    /// That are delivered reports beyond a number, dead ones beyond the same number or too old,
    /// notes that an event gave no report, and events that every reporter has passed and no report
    /// refers to. A reporter that is not configured
    /// at present has a cursor below 0 and holds nothing back.
    /// - Parameters:
    ///   - count: How many delivered reports are kept, and how many dead ones, the newest.
    ///   - maximumAge: How long dead reports are kept, from when they were given up.
    ///   - limit: How many rows of each kind are removed at most, so that a commit stays short.
    /// - Returns: Whether something may be left to be removed, and how many of those were dead
    ///   that nobody was told of.
    /// - Throws: What the database says.
    @discardableResult
    func trim(
        keeping count: Int = 10_000,
        maximumAge: Duration = DeliveryBounds().maxAge,
        limit: Int = 2000
    ) throws -> (isMore: Bool, untoldCount: Int) {
        let dead = try trimDead(keeping: count, maximumAge, limit: limit)
        let counts = [
            dead.count, try trimDelivered(keeping: count, limit: limit),
            try trimNothing(limit: limit), try trimEvents(limit: limit),
        ]
        return (counts.contains(limit), dead.count { !$0 })
    }

    private func trimDelivered(keeping count: Int, limit: Int) throws -> Int {
        try database.run(
            """
            DELETE FROM delivery WHERE id IN (
                SELECT id FROM delivery WHERE state = 'delivered' AND id <= (
                    SELECT id FROM delivery WHERE state = 'delivered'
                    ORDER BY id DESC LIMIT 1 OFFSET ?
                )
                ORDER BY id LIMIT ?
            )
            """,
            [count, limit]
        )
        return database.changesCount
    }

    /// Removes dead reports.
    ///
    /// - Returns: For each, whether somebody was told that it was given up.
    private func trimDead(keeping count: Int, _ age: Duration, limit: Int) throws -> [Bool] {
        try database.all(
            """
            DELETE FROM delivery WHERE id IN (
                SELECT id FROM delivery WHERE state = 'dead' AND (
                    ended_at < ? OR id <= (
                        SELECT id FROM delivery WHERE state = 'dead'
                        ORDER BY id DESC LIMIT 1 OFFSET ?
                    )
                )
                LIMIT ?
            ) RETURNING told
            """,
            [now.addingTimeInterval(-(age / .seconds(1))).stored, count, limit]
        ) { $0[0] }
    }

    private func trimNothing(limit: Int) throws -> Int {
        try database.run(
            """
            DELETE FROM delivery WHERE id IN (
                SELECT delivery.id FROM delivery JOIN reporter ON reporter.id = reporter_id
                WHERE state = 'nothing' AND (event_seq <= cursor OR cursor < 0) LIMIT ?
            )
            """,
            [limit]
        )
        return database.changesCount
    }

    private func trimEvents(limit: Int) throws -> Int {
        try database.run(
            """
            DELETE FROM event WHERE seq IN (
                SELECT seq FROM event
                WHERE seq <= (SELECT min(cursor) FROM reporter WHERE cursor >= 0)
                    AND NOT EXISTS (
                        SELECT 1 FROM delivery WHERE reporter_id IN (SELECT id FROM reporter)
                            AND event_seq = seq AND state <> 'nothing'
                    )
                ORDER BY seq LIMIT ?
            )
            """,
            [limit]
        )
        return database.changesCount
    }
}
