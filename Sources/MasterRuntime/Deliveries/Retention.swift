import FoundationEssentials
import GRDB
import MasterKit
import Synchronization

/// Keeps stored reports within the limits, and applies changes that users make with commands.
extension Deliveries {
    /// How often the total size is checked against the limit.
    static let lookInterval: Duration = .milliseconds(700)
    /// How often reports expire by age, and changes without a notification are applied.
    static let trimInterval: Duration = .seconds(7)
    /// How often the log says how many reports have expired.
    static let expiryInterval: Duration = .seconds(3600)

    /// Runs until the task is cancelled or the store fails, which is logged elsewhere.
    func keepWithinBounds() async {
        let clock = environment.clock
        // A shorter run does this once, at its end.
        var due = clock.elapsed + Self.trimInterval
        while !Task.isCancelled, environment.store.failure == nil {
            let isDue = clock.elapsed >= due
            if isDue { due = clock.elapsed + Self.trimInterval }
            do {
                if isDue || isOverBound { try await trim() }
                let isTold = isTold.exchange(false, ordering: .acquiringAndReleasing)
                if isDue || isTold
                    || pipelines.contains(where: { !$0.sender.changedUnderWay.isEmpty })
                {
                    try await takeChanges()
                }
            } catch {
                guard error.code != .closed else { return }
                environment.logger.warning(
                    "deliveries could not be cleaned up, which is tried again: \(error)")
            }
            await told.wait(until: clock.elapsed + Self.lookInterval, on: clock)
        }
    }

    /// Notifies that others have changed the store, so that the changes are applied soon.
    func noteChanges() {
        isTold.store(true, ordering: .releasing)
        told.raise()
    }

    private var isOverBound: Bool {
        let senders = pipelines.map(\.sender)
        let kept = senders.reduce(0) { $0 + $1.keptByteCount }
        return kept > environment.bounds.maxBytes.bytes && senders.contains { $0.mayExpire }
    }

    /// Expires reports that exceed the limits, and removes what is no longer needed.
    func trim() async throws(StoreError) {
        let environment = environment
        let bounds = environment.bounds
        var isMore = true
        while isMore, !Task.isCancelled {
            let expirable = Dictionary(
                uniqueKeysWithValues: pipelines.map { ($0.reporter.id, $0.sender.expirable) })
            let reporters = pipelines.map(\.reporter)
            let (expired, trimmed, isOver) = try await environment.store.write { transaction in
                for reporter in reporters {
                    try transaction.passEvents(notOf: reporter.kinds, of: reporter.id)
                }
                let kept = try transaction.keepWithin(bounds, expiring: expirable)
                let trimmed = try transaction.trim(maximumAge: bounds.maxAge)
                return (kept.expired, trimmed, !kept.isMore && !trimmed.isMore)
            }
            isMore = !isOver
            environment.tally.note(dead: expired, untold: trimmed.untoldCount)
            warn(ofExpired: expired)
        }
    }

    /// Says how many reports have expired, once an hour.
    private func warn(ofExpired count: Int) {
        let now = environment.clock.elapsed
        let untold = expiry.withLock { expiry in
            expiry.untoldCount += count
            let isSoon = expiry.toldAt.map { now - $0 < Self.expiryInterval } ?? false
            guard expiry.untoldCount > 0, !isSoon else { return 0 }
            defer { expiry = ExpiryNotes(toldAt: now) }
            return expiry.untoldCount
        }
        guard untold > 0 else { return }
        let reports = untold == 1 ? "1 report" : "\(untold) reports"
        environment.logger.warning(
            "\(reports) expired undelivered; 'deliveries list --state dead' tells why")
    }

    /// Applies the changes made since the last check.
    func takeChanges() async throws(StoreError) {
        let store = environment.store
        let known = changeCount.withLock { $0 }
        let found = try await store.read { try $0.changeCount() }
        let isNew = found != known
        let pipelines = pipelines
        for sender in pipelines.map(\.sender) where isNew || sender.mustBeChecked {
            let (id, others) = (sender.reporter.id, sender.changedUnderWay)
            let changes = try await store.read { database in
                try database.changes(ofReporter: id, after: known, and: others)
            }
            sender.take(changes)
        }
        // A pipeline that was added meanwhile has not received these changes.
        guard self.pipelines.elementsEqual(pipelines, by: ===) else { return noteChanges() }
        changeCount.withLock { $0 = found }
    }
}

/// Changes made by others while reports are sent: by a command, or to stay within the bounds.
extension DeliverySender {
    /// Rows whose changes could not be applied yet, because they were in flight.
    var changedUnderWay: Set<Int> { state.withLock(\.changedUnderWay) }

    /// Whether the store has to be checked even if the change count is the same.
    ///
    /// An endpoint may be resumed between the commit that closes it and the time at which this
    /// sender learns of that.
    var mustBeChecked: Bool {
        state.withLock { !$0.changedUnderWay.isEmpty || $0.isClosed }
    }

    /// Applies changes to rows, and whether the endpoint is closed.
    func take(_ changes: DeliveryChanges) {
        let open = changes.open.map { $0.due(on: environment.clock) }
        let isNews = state.withLock { state in
            let isNews = state.isClosed != changes.isReporterClosed || !changes.isEmpty
            state.changedUnderWay = state.deliveries.take(open: open, closed: changes.closed)
            state.isClosed = changes.isReporterClosed
            // A failure of what is open now is news again.
            if !changes.open.isEmpty { state.lastReason = nil }
            return isNews
        }
        guard isNews else { return }
        wake.raise()
        becameFewer.raise()
        environment.changed.raise()
    }
}

/// The lanes of a reporter that may expire: those that have failed in this run.
struct ExpirableLanes: Sendable, Equatable {
    /// Whether all lanes may expire, because the receiver is unavailable.
    var all = false
    /// The lanes whose first report was not accepted, while the receiver accepts others.
    var failed: Set<Int> = []
    /// The lanes whose first report got no response before the run ended, which may be due to the
    /// run.
    var unanswered: Set<Int> = []

    func contains(_ lane: Int, asTooOld: Bool) -> Bool {
        all || failed.contains(lane) || asTooOld && unanswered.contains(lane)
    }
}

/// Expiration of reports that exceed the limits.
extension StoreTransaction {
    /// The maximum number of lanes that expire in one transaction, so that commits are short.
    private static let laneLimit = 1000
    /// The overhead of a pending report in bytes, for its row and its place in memory.
    static let rowByteCount = 512

    /// Expires the oldest lanes, each as a whole, until the limits on size and age are met.
    ///
    /// The bodies of dead reports are removed first. Reports that a receiver accepts never expire,
    /// whatever their size and age.
    /// - Parameters:
    ///   - bounds: The limits.
    ///   - expirable: The lanes that may expire, by reporter id; parked ones always may.
    /// - Returns: The number of expired reports, and whether there may be more to do.
    /// - Throws: A database error.
    func keepWithin(
        _ bounds: DeliveryBounds,
        expiring expirable: [Int: ExpirableLanes]
    ) throws -> (expired: Int, isMore: Bool) {
        let tooOld = now.addingTimeInterval(-(bounds.maxAge / .seconds(1))).stored
        let oldLanes = try waitingLanes(expirable, olderThan: tooOld)
        var expired = try expire(oldLanes, because: "the report is older than 'maxAge'")
        var excess = try keptByteCount() - bounds.maxBytes.bytes
        if excess > 0 {
            let emptied = try emptyDeadReports(freeing: excess)
            excess -= emptied.byteCount
            if excess > 0, emptied.isMore { return (expired, true) }
        }
        guard excess > 0 else { return (expired, oldLanes.count == Self.laneLimit) }
        let lanes = try waitingLanes(expirable).prefix { lane in
            defer { excess -= lane.byteCount }
            return excess > 0
        }
        expired += try expire(Array(lanes), because: "undelivered reports exceed 'maxBytes'")
        return (expired, excess > 0 && !lanes.isEmpty)
    }

    /// A lane with pending reports.
    private struct WaitingLane {
        let reporterID: Int
        let lane: Int
        let byteCount: Int
    }

    private func keptByteCount() throws -> Int {
        try database.number(
            """
            SELECT ifnull(sum(bytes + answer_bytes + iif(state = 'dead', 0, ?)), 0) FROM delivery
            \(DeliveryState.isKept)
            """,
            [Self.rowByteCount]
        ) ?? 0
    }

    /// The lanes with pending reports that may expire, oldest first.
    private func waitingLanes(
        _ expirable: [Int: ExpirableLanes],
        olderThan moment: Double = .infinity
    ) throws -> [WaitingLane] {
        let lanes: [WaitingLane?] = try database.all(
            """
            SELECT reporter_id, lane, sum(bytes + answer_bytes + ?), max(state = 'parked')
            FROM delivery \(DeliveryState.isWaiting)
            GROUP BY reporter_id, lane HAVING min(since) < ? ORDER BY min(event_seq)
            """,
            [Self.rowByteCount, moment]
        ) { row in
            let lane = WaitingLane(reporterID: row[0], lane: row[1], byteCount: row[2])
            let isParked: Bool = row[3]
            let lanes = expirable[lane.reporterID] ?? ExpirableLanes()
            let mayExpire = lanes.contains(lane.lane, asTooOld: moment < .infinity)
            return isParked || mayExpire ? lane : nil
        }
        return Array(lanes.lazy.compactMap(\.self).prefix(Self.laneLimit))
    }

    private func expire(_ lanes: [WaitingLane], because reason: String) throws -> Int {
        guard !lanes.isEmpty else { return 0 }
        let count = try database.noteChange()
        return try lanes.reduce(0) { sum, lane in
            try database.run(
                """
                UPDATE delivery SET state = 'dead', report = NULL, bytes = 0, next_at = NULL,
                    changed = ?, ended_at = ?,
                    error = 'expired: ' || ? || ifnull('; ' || error, '')
                \(DeliveryState.isWaiting)
                    AND reporter_id = ? AND lane = ?
                """,
                [count, now.stored, reason, lane.reporterID, lane.lane]
            )
            return sum + database.changesCount
        }
    }

    /// Removes the bodies of dead reports, limited in number so that commits are short.
    private func emptyDeadReports(
        freeing excess: Int
    ) throws -> (byteCount: Int, isMore: Bool) {
        let limit = 2000
        let dead = try database.all(
            """
            SELECT id, bytes + answer_bytes FROM delivery
            \(DeliveryState.dead.condition)
                AND bytes + answer_bytes > 0
            ORDER BY event_seq LIMIT ?
            """, [limit]
        ) { (id: $0[0] as Int, byteCount: $0[1] as Int) }
        var freed = 0
        for delivery in dead where freed < excess {
            try database.run(
                "UPDATE delivery SET report = NULL, bytes = 0, answer_bytes = 0 WHERE id = ?",
                [delivery.id])
            try database.run(
                "UPDATE attempt SET answer = NULL WHERE delivery_id = ?", [delivery.id])
            freed += delivery.byteCount
        }
        return (freed, dead.count == limit)
    }
}

extension StoreTransaction {
    /// Removes what no reporter needs any more.
    ///
    /// Each condition on `state` repeats that of an index, so that the index is used.
    ///
    /// This removes delivered reports beyond a number, dead ones beyond the same number or too old,
    /// records of events without a report, and events that every reporter has processed and no
    /// report refers to. A reporter that is not configured has a cursor below 0 and does not delay
    /// removal.
    /// - Parameters:
    ///   - count: The number of delivered reports to keep, and of dead ones; the newest are kept.
    ///   - maximumAge: How long dead reports are kept after they were given up.
    ///   - limit: The maximum number of rows of each kind to remove, so that commits are short.
    /// - Returns: Whether there may be more to remove, and how many of the removed dead reports had
    ///   not been reported.
    /// - Throws: A database error.
    @discardableResult
    func trim(
        keeping count: Int = 10_000, maximumAge: Duration = DeliveryBounds().maxAge,
        limit: Int = 2000
    ) throws -> (isMore: Bool, untoldCount: Int) {
        let dead = try trimDead(keeping: count, maximumAge, limit: limit)
        let counts = [
            dead.count, try trimDelivered(keeping: count, limit: limit),
            try trimNothing(keeping: count, limit: limit), try trimEvents(limit: limit),
        ]
        return (counts.contains(limit), dead.count { !$0 })
    }

    private func trimDelivered(keeping count: Int, limit: Int) throws -> Int {
        try database.run(
            """
            DELETE FROM delivery WHERE id IN (
                SELECT id FROM delivery
                \(DeliveryState.delivered.condition) AND event_seq <= (
                    SELECT event_seq FROM delivery
                    \(DeliveryState.delivered.condition)
                    ORDER BY event_seq DESC LIMIT 1 OFFSET ?
                )
                ORDER BY event_seq LIMIT ?
            )
            """,
            [count, limit]
        )
        return database.changesCount
    }

    /// Removes dead reports.
    ///
    /// - Returns: For each, whether it had been reported that it was given up.
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

    /// Removes rows without a report, but keeps the newest of those whose reporter said why.
    private func trimNothing(keeping count: Int, limit: Int) throws -> Int {
        try database.run(
            """
            DELETE FROM delivery WHERE id IN (
                SELECT delivery.id FROM delivery JOIN reporter ON reporter.id = reporter_id
                \(DeliveryState.nothing.condition)
                    AND (event_seq <= cursor OR cursor < 0)
                    AND (error IS NULL OR event_seq <= (
                        SELECT event_seq FROM delivery
                        \(DeliveryState.nothing.condition) AND error IS NOT NULL
                        ORDER BY event_seq DESC LIMIT 1 OFFSET ?
                    ))
                LIMIT ?
            )
            """,
            [count, limit]
        )
        return database.changesCount
    }

    /// Removes events. They are looked up only where there are no delivered reports: each has its
    /// own page, so reading the thousands that are kept would take most of the time.
    private func trimEvents(limit: Int) throws -> Int {
        try database.run(
            """
            DELETE FROM event WHERE seq IN (
                WITH gap(first) AS (
                    SELECT 0
                    UNION SELECT event_seq + 1 FROM delivery AS last
                    \(DeliveryState.delivered.condition) AND NOT EXISTS (
                        SELECT 1 FROM delivery \(DeliveryState.delivered.condition)
                            AND event_seq = last.event_seq + 1
                    )
                )
                SELECT seq FROM gap CROSS JOIN event
                WHERE seq >= first
                    AND seq < (
                        SELECT ifnull(min(event_seq), ?) FROM delivery
                        \(DeliveryState.delivered.condition) AND event_seq >= first
                    )
                    AND seq <= (SELECT min(cursor) FROM reporter WHERE cursor >= 0)
                    AND seq NOT IN (
                        SELECT event_seq FROM delivery \(DeliveryState.isKept)
                        UNION ALL SELECT event_seq FROM delivery
                        \(DeliveryState.nothing.condition) AND error IS NOT NULL
                    )
                LIMIT ?
            )
            """,
            [Int.max, limit]
        )
        return database.changesCount
    }
}
