internal import FoundationEssentials
internal import GRDB
internal import MasterKit

extension Event {
    private static let columns = "seq, at, kind, lane, build_id, prev_build_id, snapshot"

    private init?(row: Row) throws {
        guard let kind = EventKind(rawValue: row[2]) else { return nil }
        let snapshot: String = row[6]
        self.init(
            sequence: row[0],
            at: Date(timeIntervalSince1970: row[1]),
            kind: kind,
            lane: row[3],
            buildID: row[4],
            previousBuildID: row[5],
            record: try JSONValue(stored: snapshot).objectValue ?? JSONObject()
        )
    }

    /// Stores the event and gives it its place in the order.
    mutating func insert(in database: Database) throws {
        try database.run(
            """
            INSERT INTO event (at, kind, lane, build_id, prev_build_id, snapshot)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                at.stored, kind.rawValue, lane, buildID, previousBuildID,
                JSONWriter.compact.string(.object(record)),
            ]
        )
        sequence = Int(database.lastInsertedRowID)
    }

    /// The stored events that come after a place in the order, the oldest first.
    static func stored(after sequence: Int, limit: Int, in database: Database) throws -> [Event] {
        try database.all(
            "SELECT \(columns) FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
            [sequence, limit],
            Event.init(row:)
        ).compactMap { $0 }
    }

    /// The first stored event of some kinds in a stretch of the order.
    static func first(
        of kinds: Set<EventKind>,
        after sequence: Int,
        upTo last: Int,
        in database: Database
    ) throws -> Event? {
        let words = kinds.map(\.rawValue).sorted()
        let marks = databaseQuestionMarks(count: words.count)
        return try database.first(
            """
            SELECT \(columns) FROM event
            WHERE seq > ? AND seq <= ? AND kind IN (\(marks)) ORDER BY seq LIMIT 1
            """,
            [sequence, last] + StatementArguments(words),
            Event.init(row:)
        ) ?? nil
    }

    /// The stored event at a place in the order.
    static func stored(at sequence: Int, in database: Database) throws -> Event? {
        try database.first(
            "SELECT \(columns) FROM event WHERE seq = ?",
            [sequence],
            Event.init(row:)
        ) ?? nil
    }

    /// The place of the newest event that was ever stored, 0 before the first.
    static func newestSequence(in database: Database) throws -> Int {
        try database.first("SELECT seq FROM sqlite_sequence WHERE name = 'event'") { $0[0] } ?? 0
    }
}
