import FoundationEssentials
import GRDB
import MasterKit

/// Queries for deliveries.
extension Database {
    private static let deliveryColumns =
        "id, event_seq, part, lane, attempts, tries_before, since, bytes, not_before, "
        + "substr(report, 1, \(Report.originLimit))"

    /// The open deliveries of a reporter, in sending order.
    func openDeliveries(ofReporter id: Int) throws -> [Delivery] {
        try all(
            """
            SELECT \(Self.deliveryColumns) FROM delivery INDEXED BY delivery_kept
            \(DeliveryState.open.condition) AND reporter_id = ?
            ORDER BY event_seq, part
            """,
            [id],
            Delivery.init(row:)
        )
    }

    /// The current state of a reporter's deliveries changed from outside since a change count, and
    /// of some others.
    func changes(ofReporter id: Int, after count: Int, and others: Set<Int>) throws
        -> DeliveryChanges
    {
        let marks = databaseQuestionMarks(count: others.count)
        let rows = try all(
            """
            SELECT \(Self.deliveryColumns), state FROM delivery
            WHERE reporter_id = ? AND ((changed > ? AND changed > 0) OR id IN (\(marks)))
            """,
            [id, count] + StatementArguments(others.sorted())
        ) { (Delivery(row: $0), isOpen: $0[10] == DeliveryState.open.rawValue) }
        return DeliveryChanges(
            open: rows.filter(\.isOpen).map(\.0),
            closed: Set(rows.filter { !$0.isOpen }.map(\.0.id)),
            isReporterClosed: try number(
                "SELECT closed_at IS NOT NULL FROM reporter WHERE id = ?", [id]) == 1
        )
    }

    /// The number of changes made to deliveries from outside the master.
    func changeCount() throws -> Int {
        try number("SELECT changes FROM meta", []) ?? 0
    }

    /// The number of events of some kinds after a sequence number.
    func eventCount(of kinds: Set<EventKind>, after sequence: Int) throws -> Int {
        let words = kinds.map(\.rawValue).sorted()
        let marks = databaseQuestionMarks(count: words.count)
        return try number(
            "SELECT count(*) FROM event WHERE seq > ? AND kind IN (\(marks))",
            [sequence] + StatementArguments(words)) ?? 0
    }

    /// The newest stored event of some kinds, or 0 if there is none.
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

/// Conditions on the state of rows, which start with `WHERE`.
///
/// Each repeats the condition of the partial index `delivery_kept` or `delivery_done`: SQLite uses
/// such an index only for a query that contains the condition of the index.
extension DeliveryState {
    /// Rows whose report may still be sent.
    static let isKept = "WHERE state IN ('open', 'parked', 'dead')"
    /// Rows whose report should be sent, now or once its reporter is available again.
    static let isWaiting = "WHERE state IN ('open', 'parked', 'dead') AND state <> 'dead'"

    /// Rows in this state.
    var condition: String {
        switch self {
        case .open, .parked, .dead:
            "WHERE state IN ('open', 'parked', 'dead') AND state = '\(rawValue)'"
        case .delivered, .nothing:
            "WHERE state IN ('delivered', 'nothing') AND state = '\(rawValue)'"
        }
    }
}

/// The changes to a reporter's deliveries.
struct DeliveryChanges: Sendable {
    /// The rows that are open now.
    let open: [Delivery]
    /// The rows that are no longer open.
    let closed: Set<Int>
    /// Whether nothing is sent to the endpoint.
    let isReporterClosed: Bool

    /// Whether no rows have changed.
    var isEmpty: Bool { open.isEmpty && closed.isEmpty }
}

extension Delivery {
    fileprivate init(row: Row) {
        self.init(
            id: row[0], eventSequence: row[1], part: row[2], lane: row[3], attempts: row[4],
            triesBefore: row[5], since: row.date(6) ?? .distantPast, due: .zero,
            notBefore: row.date(8),
            origin: (row[9] as String?).map(Report.origin(ofStored:)) ?? "", byteCount: row[7])
    }
}
