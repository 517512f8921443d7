import FoundationEssentials
import GRDB
import MasterKit

extension Database {
    /// The deliveries of events behind a sequence, those that were tried since a moment, and all
    /// that wait, in the order of their events.
    func deliveries(
        after sequence: Int,
        triedSince moment: Date,
        receivers: [Int: String]
    ) throws -> [DeliveryStatus] {
        try all(
            """
            SELECT delivery.id, reporter.id, reporter.name, event_seq, state, attempts, next_at,
                coalesce(delivery.error, iif(state = 'open', closed_reason, NULL)),
                attempt.status, event.kind, builder.name, build.number, build.results,
                build.started_at
            FROM delivery JOIN reporter ON reporter.id = reporter_id
            LEFT JOIN attempt ON attempt.delivery_id = delivery.id AND attempt.n = attempts
            LEFT JOIN event ON event.seq = event_seq
            LEFT JOIN build ON build.id = event.build_id
            LEFT JOIN builder ON builder.id = build.builder_id
            WHERE state IN ('open', 'parked')
                OR (state <> 'nothing' AND (event_seq > ? OR attempt.at >= ?))
            ORDER BY event_seq, reporter.id, part
            """,
            [sequence, moment.stored]
        ) { row in
            let reporterID: Int = row[1]
            let eventSequence: Int = row[3]
            return DeliveryStatus(
                id: row[0],
                reporter: row[2],
                subject: subject(row, sequence: eventSequence),
                receiver: receivers[reporterID],
                state: DeliveryState(rawValue: row[4]) ?? .open,
                status: row[8],
                attempts: row[5],
                nextTry: row.date(6),
                error: row[7],
                isFromEarlierRun: eventSequence <= sequence
                    || row.date(13).map { $0 < moment } ?? false
            )
        }
    }

    private func subject(_ row: Row, sequence: Int) -> String {
        let kind: String = row[9] ?? "event \(sequence)"
        guard let builder = row[10] as String?, let number = row[11] as Int? else { return kind }
        let word =
            switch EventKind(rawValue: kind) {
            case .buildNew: "started"
            case .buildFinished: Results.text(Results(stored: row[12]))
            default: kind
            }
        return "\(builder) #\(number) \(word)"
    }
}
