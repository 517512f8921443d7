import FoundationEssentials
import GRDB
import MasterKit

/// What is given up so that what is kept stays within its bounds.
extension StoreTransaction {
    /// How many lanes are given up in one transaction at most, so that a commit stays short.
    private static let laneLimit = 200

    /// Gives up the oldest lanes as a whole, until what is kept is neither too much nor too old.
    ///
    /// The bodies of letters that are dead already go first.
    /// - Returns: How many reports were given up, and whether something may be left to do.
    /// - Throws: What the database says.
    func keepWithin(_ bounds: DeliveryBounds) throws -> (expired: Int, isMore: Bool) {
        let tooOld = now.addingTimeInterval(-(bounds.maxAge / .seconds(1))).stored
        let oldLanes = try waitingLanes(olderThan: tooOld)
        var expired = try expire(oldLanes, because: "it is older than 'maxAge' allows")
        var excess = try keptByteCount() - bounds.maxBytes.bytes
        if excess > 0 { excess -= try emptyDeadLetters(freeing: excess) }
        guard excess > 0 else { return (expired, oldLanes.count == Self.laneLimit) }
        let lanes = try waitingLanes().prefix { lane in
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
            "SELECT ifnull(sum(bytes), 0) FROM delivery WHERE state IN ('open', 'parked', 'dead')",
            []
        ) ?? 0
    }

    /// The lanes with something that waits, the oldest first.
    private func waitingLanes(olderThan moment: Double = .infinity) throws -> [WaitingLane] {
        try database.all(
            """
            SELECT reporter_id, lane, sum(bytes) FROM delivery
            WHERE state IN ('open', 'parked', 'dead') AND state <> 'dead'
            GROUP BY reporter_id, lane HAVING min(since) < ?
            ORDER BY min(event_seq) LIMIT \(Self.laneLimit)
            """,
            [moment]
        ) { WaitingLane(reporterID: $0[0], lane: $0[1], byteCount: $0[2]) }
    }

    private func expire(_ lanes: [WaitingLane], because reason: String) throws -> Int {
        guard !lanes.isEmpty else { return 0 }
        let count = try database.noteChange()
        return try lanes.reduce(0) { sum, lane in
            try database.run(
                """
                UPDATE delivery SET state = 'dead', report = NULL, bytes = 0, next_at = NULL,
                    changed = ?, error = 'expired: ' || ? || ifnull('; ' || error, '')
                WHERE state IN ('open', 'parked', 'dead') AND state <> 'dead'
                    AND reporter_id = ? AND lane = ?
                """,
                [count, reason, lane.reporterID, lane.lane]
            )
            return sum + database.changesCount
        }
    }

    private func emptyDeadLetters(freeing excess: Int) throws -> Int {
        let dead = try database.all(
            """
            SELECT id, bytes FROM delivery
            WHERE state IN ('open', 'parked', 'dead') AND state = 'dead' AND bytes > 0
            ORDER BY event_seq LIMIT 2000
            """
        ) { (id: $0[0] as Int, byteCount: $0[1] as Int) }
        var freed = 0
        for letter in dead where freed < excess {
            try database.run(
                "UPDATE delivery SET report = NULL, bytes = 0 WHERE id = ?",
                [letter.id]
            )
            freed += letter.byteCount
        }
        return freed
    }
}
