import FoundationEssentials
import GRDB
import MasterKit

/// What people change of deliveries; an outbox that runs takes it over within a second.
extension Database {
    /// Counts a change that the outbox is to notice.
    ///
    /// - Returns: The value for `changed` of the rows that it touches.
    func noteChange() throws -> Int {
        try run("UPDATE meta SET changes = changes + 1")
        return try changeCount()
    }

    /// Lets reports be tried again at once, with their schedule from its beginning.
    ///
    /// - Returns: How many there were; those that have no body any more are left as they are.
    func retryDeliveries(_ ids: [Int], now: Date) throws -> Int {
        try change(ids) { id, count in
            try run(
                """
                UPDATE delivery SET state = iif(state = 'parked', 'parked', 'open'), since = ?,
                    tries_before = attempts, next_at = NULL, not_before = NULL, ended_at = NULL, told = 0,
                    changed = ?
                WHERE id = ? AND state IN ('open', 'parked', 'dead') AND report IS NOT NULL
                    AND (state <> 'open' OR attempts > 0)
                """,
                [now.stored, count, id]
            )
        }
    }

    /// Gives reports up for good.
    ///
    /// - Returns: How many there were; those that were delivered are left as they are.
    func dropDeliveries(_ ids: [Int]) throws -> Int {
        try change(ids) { id, count in
            try run(
                """
                UPDATE delivery SET state = 'nothing', report = NULL, bytes = 0, next_at = NULL,
                    error = NULL, changed = ?
                WHERE id = ? AND state IN ('open', 'parked', 'dead')
                """,
                [count, id]
            )
        }
    }

    /// Opens the endpoint of a reporter again.
    ///
    /// - Returns: Whether it was closed.
    func resumeReporter(_ id: Int) throws -> Bool {
        try run(
            """
            UPDATE reporter SET closed_at = NULL, closed_reason = NULL, closed_receiver = NULL
            WHERE id = ? AND closed_at IS NOT NULL
            """,
            [id]
        )
        let wasClosed = changesCount > 0
        if wasClosed { _ = try noteChange() }
        return wasClosed
    }

    private func change(_ ids: [Int], _ change: (_ id: Int, _ count: Int) throws -> Void) throws
        -> Int
    {
        guard !ids.isEmpty else { return 0 }
        let count = try noteChange()
        return try ids.reduce(0) { sum, id in
            try change(id, count)
            return sum + changesCount
        }
    }
}
