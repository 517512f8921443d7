import FoundationEssentials
import GRDB
import MasterKit

/// Deliveries for people.
extension Database {
    private static let recordColumns = """
        delivery.id, reporter.name, state, attempts, attempt.status, since, next_at,
        coalesce(delivery.error, iif(state = 'open', closed_reason, NULL)), event.kind,
        builder.name, build.number, bytes, event_seq,
        delivery.lane, build.results, iif(event.kind GLOB 'build.*', NULL, event.snapshot)
        """

    private static let recordTables = """
        delivery JOIN reporter ON reporter.id = reporter_id
        LEFT JOIN attempt ON attempt.delivery_id = delivery.id AND attempt.n = attempts
        LEFT JOIN event ON event.seq = event_seq
        LEFT JOIN build ON build.id = event.build_id
        LEFT JOIN build_request ON build_request.id = event.lane
        LEFT JOIN builder ON builder.id = build_request.builder_id
        """

    /// The deliveries of events behind a sequence, those that were tried since a moment, and all
    /// that wait, in the order of their events.
    func deliveries(
        after sequence: Int,
        triedSince moment: Date,
        receivers: [Int: String]
    ) throws -> [DeliveryStatus] {
        try all(
            """
            SELECT \(Self.recordColumns), reporter.id, build.started_at FROM \(Self.recordTables)
            WHERE state IN ('open', 'parked')
                OR (state <> 'nothing' AND (event_seq > ? OR attempt.at >= ?))
            ORDER BY event_seq, reporter.id, part
            """,
            [sequence, moment.stored]
        ) { row in
            let (eventSequence, reporterID): (Int, Int) = (row[12], row[16])
            return DeliveryStatus(
                try DeliveryRecord(row: row),
                receiver: receivers[reporterID],
                isFromEarlierRun: eventSequence <= sequence
                    || row.date(17).map { $0 < moment } ?? false
            )
        }
    }

    /// The deliveries that a filter lets through, in the order of their events.
    func deliveries(_ filter: DeliveryFilter) throws -> [DeliveryRecord] {
        let states = (filter.states ?? Set(DeliveryState.allCases)).subtracting([.nothing])
        let words = states.map(\.rawValue).sorted()
        return try all(
            """
            SELECT \(Self.recordColumns) FROM \(Self.recordTables)
            WHERE state IN (\(databaseQuestionMarks(count: words.count)))
                AND ifnull(?, reporter.name) = reporter.name
                AND (? IS NULL OR builder.name = ?) AND (? IS NULL OR build.number = ?)
            ORDER BY event_seq, reporter.id, part
            """,
            StatementArguments(words) + [
                filter.reporter, filter.builder, filter.builder, filter.buildNumber,
                filter.buildNumber,
            ],
            DeliveryRecord.init(row:)
        )
    }

    /// One delivery with its tries.
    func details(ofDelivery id: Int, store: String) throws -> DeliveryDetails? {
        let found = try first(
            """
            SELECT \(Self.recordColumns), reporter.id, part, report FROM \(Self.recordTables)
            WHERE delivery.id = ? AND state <> 'nothing'
            """,
            [id]
        ) { row in
            (
                record: try DeliveryRecord(row: row),
                webhookID: DeliveryID(
                    store: store,
                    reporter: row[16],
                    event: row[12],
                    part: row[17]
                ),
                report: row[18] as String?
            )
        }
        guard let found else { return nil }
        return DeliveryDetails(
            record: found.record,
            webhookID: "\(found.webhookID)",
            body: try found.report.map { try Report(stored: $0).body },
            tries: try tries(ofDelivery: id)
        )
    }

    /// How many letters are dead.
    func deadLetterCount() throws -> Int {
        try number(
            """
            SELECT count(*) FROM delivery
            WHERE state IN ('open', 'parked', 'dead') AND state = 'dead'
            """,
            []
        ) ?? 0
    }

    /// All reporters that were ever configured, by their names.
    func reporters() throws -> [ReporterRecord] {
        try all("SELECT name, closed_at, closed_reason FROM reporter ORDER BY name") {
            ReporterRecord(name: $0[0], closedAt: $0.date(1), closedReason: $0[2])
        }
    }

    private func tries(ofDelivery id: Int) throws -> [DeliveryTry] {
        try all(
            """
            SELECT n, at, duration, status, error, answer FROM attempt
            WHERE delivery_id = ? ORDER BY n
            """,
            [id]
        ) { row in
            DeliveryTry(
                number: row[0],
                at: row.date(1) ?? .distantPast,
                duration: .seconds(row[2] as Double),
                status: row[3],
                error: row[4],
                answer: row[5]
            )
        }
    }
}

extension DeliveryStatus {
    fileprivate init(_ record: DeliveryRecord, receiver: String?, isFromEarlierRun: Bool) {
        self.init(
            id: record.id,
            reporter: record.reporter,
            subject: record.subject,
            receiver: receiver,
            state: record.state,
            status: record.status,
            attempts: record.attempts,
            nextTry: record.nextTry,
            error: record.error,
            isFromEarlierRun: isFromEarlierRun
        )
    }
}
