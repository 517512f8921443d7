import GRDB
import MasterKit

/// What the outbox looks up.
extension Database {
    /// The open deliveries of a reporter, in the order in which they are sent; all due at once.
    func openLetters(ofReporter id: Int) throws -> [Letter] {
        try all(
            """
            SELECT id, event_seq, part, lane, attempts FROM delivery
            WHERE reporter_id = ? AND state = 'open' ORDER BY event_seq, part
            """,
            [id]
        ) { row in
            Letter(
                id: row[0],
                eventSequence: row[1],
                part: row[2],
                lane: row[3],
                attempts: row[4],
                due: .zero,
                report: nil
            )
        }
    }

    /// The report of a delivery as it was stored.
    func storedReport(ofDelivery id: Int) throws -> String? {
        try first("SELECT report FROM delivery WHERE id = ?", [id]) { $0[0] as String? } ?? nil
    }

    /// The newest stored event of some kinds, 0 when there is none.
    func newestEvent(of kinds: Set<EventKind>) throws -> Int {
        let words = kinds.map(\.rawValue).sorted()
        let marks = databaseQuestionMarks(count: words.count)
        let newest = try first(
            "SELECT max(seq) FROM event WHERE kind IN (\(marks))",
            StatementArguments(words)
        ) { $0[0] as Int? }
        return (newest ?? nil) ?? 0
    }
}
