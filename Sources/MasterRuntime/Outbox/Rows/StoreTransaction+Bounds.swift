import FoundationEssentials
import GRDB
import MasterKit

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
        var expired = try expire(oldLanes, because: "it is older than 'maxAge' allows")
        var excess = try keptByteCount() - bounds.maxBytes.bytes
        if excess > 0 { excess -= try emptyDeadLetters(freeing: excess) }
        guard excess > 0 else { return (expired, oldLanes.count == Self.laneLimit) }
        let lanes = try waitingLanes(expirable).prefix { lane in
            defer { excess -= lane.byteCount }
            return excess > 0
        }
        expired += try expire(Array(lanes), because: "more waits than 'maxBytes' allows")
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

    private func emptyDeadLetters(freeing excess: Int) throws -> Int {
        let dead = try database.all(
            """
            SELECT id, bytes + answer_bytes FROM delivery
            WHERE state IN ('open', 'parked', 'dead') AND state = 'dead'
                AND bytes + answer_bytes > 0
            ORDER BY event_seq LIMIT 2000
            """
        ) { (id: $0[0] as Int, byteCount: $0[1] as Int) }
        var freed = 0
        for letter in dead where freed < excess {
            try database.run(
                "UPDATE delivery SET report = NULL, bytes = 0, answer_bytes = 0 WHERE id = ?",
                [letter.id]
            )
            try database.run("UPDATE attempt SET answer = NULL WHERE delivery_id = ?", [letter.id])
            freed += letter.byteCount
        }
        return freed
    }
}
