import FoundationEssentials
import GRDB
public import MasterKit
import Synchronization

/// How much is kept for receivers that are away.
public struct DeliveryBounds: Sendable, Hashable {
    /// How many bytes all reports together may have.
    public var maxBytes: ByteCount
    /// How old a report may get, from when it was made.
    public var maxAge: Duration

    /// Makes bounds.
    public init(
        maxBytes: ByteCount = ByteCount(256 << 20), maxAge: Duration = .seconds(30 * 24 * 3600)
    ) {
        self.maxBytes = maxBytes
        self.maxAge = maxAge
    }
}

/// Keeps what is stored for receivers within its bounds, and takes over what people change of it by
/// commands.
extension Deliveries {
    /// How often it is looked whether more is kept than the bounds allow.
    static let lookInterval: Duration = .milliseconds(700)
    /// How often what is too old is given up, and changes are taken over of which nobody has told.
    static let trimInterval: Duration = .seconds(7)

    /// Works until the task is cancelled or the store fails, which others log.
    func keepWithinBounds() async {
        let clock = environment.clock
        var due = clock.elapsed
        while !Task.isCancelled, environment.store.failure == nil {
            let isDue = clock.elapsed >= due
            if isDue { due = clock.elapsed + Self.trimInterval }
            do {
                if isDue || isOverBound { try await trim() }
                let isTold = isTold.exchange(false, ordering: .acquiringAndReleasing)
                if isDue || isTold || pipelines.contains(where: \.sender.hasChangesUnderWay) {
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

    /// Takes over soon what somebody else has changed in the store.
    func noteChanges() {
        isTold.store(true, ordering: .releasing)
        told.raise()
    }

    private var isOverBound: Bool {
        let senders = pipelines.map(\.sender)
        let kept = senders.reduce(0) { $0 + $1.keptByteCount }
        return kept > environment.bounds.maxBytes.bytes && senders.contains { $0.mayExpire }
    }

    /// Gives up what is too much or too old, and removes what nobody needs.
    func trim() async throws(StoreError) {
        let environment = environment
        let bounds = environment.bounds
        var isMore = true
        while isMore, !Task.isCancelled {
            let expirable = Dictionary(
                uniqueKeysWithValues: pipelines.map { ($0.recipient.id, $0.sender.expirable) })
            let (expired, trimmed, isOver) = try await environment.store.write { transaction in
                let kept = try transaction.keepWithin(bounds, expiring: expirable)
                let trimmed = try transaction.trim(maximumAge: bounds.maxAge)
                return (kept.expired, trimmed, !kept.isMore && !trimmed.isMore)
            }
            isMore = !isOver
            environment.tally.note(dead: expired, untold: trimmed.untoldCount)
            guard expired > 0 else { continue }
            environment.logger.debug("\(expired) undeliverable reports expired")
        }
    }

    /// Takes over what was changed since the last look.
    func takeChanges() async throws(StoreError) {
        let store = environment.store
        let known = changeCount.withLock { $0 }
        let found = try await store.read { try $0.changeCount() }
        let isNew = found != known
        let pipelines = pipelines
        for sender in pipelines.map(\.sender) where isNew || sender.isToBeLookedAt {
            let (id, others) = (sender.recipient.id, sender.changedUnderWay)
            let changes = try await store.read { database in
                try database.changes(ofReporter: id, after: known, and: others)
            }
            sender.take(changes)
        }
        // A pipeline that was added meanwhile has not heard of these changes.
        guard self.pipelines.elementsEqual(pipelines, by: ===) else { return noteChanges() }
        changeCount.withLock { $0 = found }
    }
}

/// Which lanes of a reporter may be given up: those that were tried in vain in this run.
struct ExpirableLanes: Sendable, Equatable {
    /// Whether the receiver is away, so that all may.
    var all = false
    /// Those whose first report was not taken, while the receiver takes others.
    var failed: Set<Int> = []
    /// Those whose first report got no answer before the run ended; that may be due to the run.
    var unanswered: Set<Int> = []

    func contains(_ lane: Int, asTooOld: Bool) -> Bool {
        all || failed.contains(lane) || asTooOld && unanswered.contains(lane)
    }
}

/// What is given up so that what is kept stays within its bounds.
extension StoreTransaction {
    /// How many lanes are given up in one transaction at most, so that a commit stays short.
    private static let laneLimit = 1000
    /// What a report that waits counts beside its text, in bytes: its row, and its place in memory.
    static let rowByteCount = 512

    /// Gives up the oldest lanes as a whole, until what is kept is neither too much nor too old.
    ///
    /// The texts of reports that are dead already go first. What a receiver takes is never given
    /// up, however much or old it is.
    /// - Parameters:
    ///   - bounds: How much is kept for how long.
    ///   - expirable: What may be given up, by the row of the reporter; what is parked always may.
    /// - Returns: How many reports were given up, and whether something may be left to do.
    /// - Throws: What the database says.
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

    /// A lane with something that waits.
    private struct WaitingLane {
        let reporterID: Int
        let lane: Int
        let byteCount: Int
    }

    private func keptByteCount() throws -> Int {
        try database.number(
            """
            SELECT ifnull(sum(bytes + answer_bytes + iif(state = 'dead', 0, ?)), 0) FROM delivery
            WHERE state IN ('open', 'parked', 'dead')
            """,
            [Self.rowByteCount]
        ) ?? 0
    }

    /// The lanes with something that waits and may be given up, the oldest first.
    private func waitingLanes(
        _ expirable: [Int: ExpirableLanes],
        olderThan moment: Double = .infinity
    ) throws -> [WaitingLane] {
        let lanes: [WaitingLane?] = try database.all(
            """
            SELECT reporter_id, lane, sum(bytes + answer_bytes + ?), max(state = 'parked')
            FROM delivery WHERE state IN ('open', 'parked', 'dead') AND state <> 'dead'
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
                WHERE state IN ('open', 'parked', 'dead') AND state <> 'dead'
                    AND reporter_id = ? AND lane = ?
                """,
                [count, now.stored, reason, lane.reporterID, lane.lane]
            )
            return sum + database.changesCount
        }
    }

    /// Removes texts of dead reports; no more of them at a time than keep a commit short.
    private func emptyDeadReports(
        freeing excess: Int
    ) throws -> (byteCount: Int, isMore: Bool) {
        let limit = 2000
        let dead = try database.all(
            """
            SELECT id, bytes + answer_bytes FROM delivery
            WHERE state IN ('open', 'parked', 'dead') AND state = 'dead'
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
    /// Removes what is kept for reporters and needed by none of them any more.
    ///
    /// Each condition on `state` is also that of an index, by which it is found.
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
        keeping count: Int = 10_000, maximumAge: Duration = DeliveryBounds().maxAge,
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
                SELECT id FROM delivery
                WHERE state = 'delivered' AND state IN ('delivered', 'nothing') AND event_seq <= (
                    SELECT event_seq FROM delivery
                    WHERE state = 'delivered' AND state IN ('delivered', 'nothing')
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
                WHERE state = 'nothing' AND state IN ('delivered', 'nothing')
                    AND (event_seq <= cursor OR cursor < 0) LIMIT ?
            )
            """,
            [limit]
        )
        return database.changesCount
    }

    /// Removes events, which are looked up only where there are no delivered reports: each has
    /// a page of its own, so that to read the thousands that are kept would take most of the time.
    private func trimEvents(limit: Int) throws -> Int {
        try database.run(
            """
            DELETE FROM event WHERE seq IN (
                WITH gap(first, last) AS (
                    SELECT lag(event_seq, 1, 0) OVER (ORDER BY event_seq) + 1, event_seq - 1
                    FROM delivery
                    WHERE state = 'delivered' AND state IN ('delivered', 'nothing')
                    UNION ALL SELECT ifnull(max(event_seq), 0) + 1, ? FROM delivery
                    WHERE state = 'delivered' AND state IN ('delivered', 'nothing')
                )
                SELECT seq FROM gap CROSS JOIN event ON seq BETWEEN first AND last
                WHERE first <= last
                    AND seq <= (SELECT min(cursor) FROM reporter WHERE cursor >= 0)
                    AND seq NOT IN (
                        SELECT event_seq FROM delivery WHERE state IN ('open', 'parked', 'dead'))
                LIMIT ?
            )
            """,
            [Int.max, limit]
        )
        return database.changesCount
    }
}
