import FoundationEssentials
import GRDB
import MasterKit

/// Queries for deliveries to be shown to users.
extension Database {
    private static let recordColumns = """
        delivery.id, reporter.name, state, attempts, attempt.status, since, next_at,
        coalesce(delivery.error, iif(state = 'open', closed_reason, NULL)), event.kind,
        builder.name, build.number, bytes, event_seq,
        delivery.lane, build.results, iif(event.kind GLOB 'build.*', NULL, event.snapshot)
        """

    /// The rows that are shown: those without a report only if their reporter said why.
    fileprivate static let isShown = "(state <> 'nothing' OR delivery.error IS NOT NULL)"

    private static let recordTables = """
        delivery JOIN reporter ON reporter.id = reporter_id
        LEFT JOIN attempt ON attempt.delivery_id = delivery.id AND attempt.n = attempts
        LEFT JOIN event ON event.seq = event_seq
        LEFT JOIN build ON build.id = event.build_id
        LEFT JOIN build_request ON build_request.id = event.lane
        LEFT JOIN builder ON builder.id = build_request.builder_id
        """

    /// Whether a delivery is of an earlier run.
    private static let isEarlier =
        "(event_seq <= :sequence OR coalesce(build.started_at < :moment, 0))"

    /// The deliveries that the summary of a run is about.
    private static let shown = """
        \(isShown) AND delivery.id IN (
            SELECT id FROM delivery
            \(DeliveryState.isKept) AND (state <> 'dead' OR event_seq > :sequence)
            UNION ALL SELECT id FROM delivery
            \(DeliveryState.delivered.condition) AND event_seq > :sequence
            UNION ALL SELECT delivery_id FROM attempt WHERE at >= :moment)
        """

    /// The deliveries of events after a sequence number, then those attempted since a time, and all
    /// pending ones, each in event order. If there are too many of this run, only the first
    /// undelivered ones.
    func deliveries(
        after sequence: Int, triedSince moment: Date,
        receivers: [Int: String]
    ) throws -> [DeliveryStatus] {
        let limit = DeliverySummary.listLimit
        let all = try statuses(after: sequence, triedSince: moment, but: "", receivers, limit + 1)
        let ownCount = all.count { !$0.isFromEarlierRun }
        guard ownCount > limit else { return Array(all.prefix(limit)) }
        return try statuses(after: sequence, triedSince: moment, but: "delivered", receivers, limit)
    }

    /// The number of those deliveries that are of earlier runs, by state.
    func earlierCounts(after sequence: Int, triedSince moment: Date) throws
        -> [DeliveryState: Int]
    {
        let counts: [(DeliveryState?, Int)] = try all(
            """
            SELECT state, count(*) FROM \(Self.recordTables)
            WHERE \(Self.shown) AND \(Self.isEarlier) GROUP BY state
            """,
            ["sequence": sequence, "moment": moment.stored]
        ) { row in (DeliveryState(rawValue: row[0]), row[1]) }
        return counts.reduce(into: [:]) { counts, pair in
            if let state = pair.0 { counts[state] = pair.1 }
        }
    }

    private func statuses(
        after sequence: Int, triedSince moment: Date, but excluded: String,
        _ receivers: [Int: String], _ limit: Int
    ) throws -> [DeliveryStatus] {
        try all(
            """
            SELECT \(Self.recordColumns), reporter.id, \(Self.isEarlier) FROM \(Self.recordTables)
            WHERE state <> :excluded AND \(Self.shown)
            ORDER BY \(Self.isEarlier), event_seq, reporter.id, part LIMIT :limit
            """,
            [
                "excluded": excluded, "sequence": sequence, "moment": moment.stored,
                "limit": limit,
            ]
        ) { row in
            let reporterID: Int = row[16]
            return DeliveryStatus(
                try DeliveryRecord(row: row),
                receiver: receivers[reporterID],
                isFromEarlierRun: row[17]
            )
        }
    }

    /// The number of pending deliveries, and of those parked for their reporter.
    func waitingCounts() throws -> (open: Int, parked: Int) {
        let counts: [(open: Int, parked: Int)] = try all(
            """
            SELECT count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'parked')
            FROM delivery \(DeliveryState.isKept)
            """
        ) { ($0[0], $0[1]) }
        return counts.first ?? (0, 0)
    }

    /// The deliveries that match a filter, after a given one, in the order in which they were
    /// created.
    func deliveries(
        _ filter: DeliveryFilter, after id: Int = 0, limit: Int
    ) throws -> [DeliveryRecord] {
        try all(
            """
            SELECT \(Self.recordColumns) FROM \(Self.recordTables)
            WHERE delivery.id > ? AND \(DeliveryFilter.condition)
            ORDER BY delivery.id LIMIT ?
            """,
            [id] + filter.arguments + [limit],
            DeliveryRecord.init(row:)
        )
    }

    /// The number of matching deliveries by reporter and state.
    func counts(_ filter: DeliveryFilter) throws -> [DeliveryCount] {
        try all(
            """
            SELECT reporter.name, state, closed_at IS NOT NULL, count(*) FROM \(Self.recordTables)
            WHERE \(DeliveryFilter.condition) GROUP BY reporter.name, state ORDER BY reporter.name
            """,
            filter.arguments
        ) { row in
            DeliveryCount(
                reporter: row[0], state: DeliveryState(rawValue: row[1]) ?? .open,
                isReporterClosed: row[2], count: row[3])
        }
    }

    /// The ids of the matching deliveries.
    func deliveryIDs(_ filter: DeliveryFilter) throws -> [Int] {
        try numbers(
            "SELECT delivery.id FROM \(Self.recordTables) WHERE \(DeliveryFilter.condition)",
            filter.arguments)
    }

    /// One delivery with its attempts.
    func details(ofDelivery id: Int, store: String) throws -> DeliveryDetails? {
        let found = try first(
            """
            SELECT \(Self.recordColumns), reporter.id, part, report FROM \(Self.recordTables)
            WHERE delivery.id = ? AND \(Self.isShown)
            """,
            [id]
        ) { row in
            (
                record: try DeliveryRecord(row: row),
                webhookID: DeliveryID(
                    store: store, reporter: row[16], event: row[12], part: row[17]),
                report: row[18] as String?
            )
        }
        guard let found else { return nil }
        return DeliveryDetails(
            record: found.record, webhookID: "\(found.webhookID)",
            body: try found.report.map { try Report(stored: $0).withSecretNames.body },
            tries: try tries(ofDelivery: id))
    }

    /// All reporters that have ever been configured, by name.
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
                number: row[0], at: row.date(1) ?? .distantPast,
                duration: .seconds(row[2] as Double), status: row[3], error: row[4],
                responseText: row[5])
        }
    }
}

extension DeliveryFilter {
    /// The condition for a row; its parameters are ``arguments``.
    fileprivate static let condition = """
        state IN (SELECT value FROM json_each(?)) AND \(Database.isShown)
        AND (? IS NULL OR delivery.id IN (SELECT value FROM json_each(?)))
        AND ifnull(?, reporter.name) = reporter.name
        AND (? IS NULL OR builder.name = ?) AND (? IS NULL OR build.number = ?)
        AND (NOT ? OR (bytes > 0 AND (state <> 'open' OR attempts > 0)))
        """

    fileprivate var arguments: StatementArguments {
        let states = states ?? Set(DeliveryState.allCases)
        let words = states.map { JSONValue.string($0.rawValue) }
        let numbers = ids.map { JSONWriter.compact.string(.array($0.map { .int($0) })) }
        return [
            JSONWriter.compact.string(.array(words)), numbers, numbers, reporter, builder, builder,
            buildNumber, buildNumber, isRetryable,
        ]
    }
}

extension StoreTransaction {
    /// The maximum number of reasons listed separately.
    private static let reasonLimit = 5

    /// Marks the unreported dead reports as reported, and returns them.
    ///
    /// - Returns: The most frequent ones by reporter and reason, and the number of others.
    /// - Throws: A database error.
    func markDeadReportsAsShown() throws -> ([GivenUpReports], others: Int) {
        let groups = try database.all(
            """
            SELECT name, ifnull(error, ''), count(*) FROM delivery
            JOIN reporter ON reporter.id = reporter_id WHERE state = 'dead' AND told = 0
            GROUP BY name, error ORDER BY count(*) DESC, min(delivery.id)
            """
        ) { GivenUpReports(reporter: $0[0], reason: $0[1], count: $0[2]) }
        guard !groups.isEmpty else { return ([], 0) }
        try database.run("UPDATE delivery SET told = 1 WHERE state = 'dead' AND told = 0")
        let others = groups.dropFirst(Self.reasonLimit)
        return (Array(groups.prefix(Self.reasonLimit)), others.reduce(0) { $0 + $1.count })
    }
}

extension DeliveryStatus {
    fileprivate init(_ record: DeliveryRecord, receiver: String?, isFromEarlierRun: Bool) {
        self.init(
            id: record.id, reporter: record.reporter, subject: record.subject, receiver: receiver,
            state: record.state, status: record.status, attempts: record.attempts,
            nextTry: record.nextTry, error: record.error, isFromEarlierRun: isFromEarlierRun)
    }
}

extension DeliveryRecord {
    /// Reads the columns that every query for records starts with.
    init(row: Row) throws {
        self.init(
            id: row[0], reporter: row[1], subject: try Self.subject(of: row),
            state: DeliveryState(rawValue: row[2]) ?? .open, attempts: row[3], status: row[4],
            since: row.date(5) ?? .distantPast, nextTry: row.date(6), error: row[7], event: row[8],
            builder: row[9], buildNumber: row[10], byteCount: row[11])
    }

    /// The subject of the report as text; for an event that is no longer stored, only its number.
    private static func subject(of row: Row) throws -> String {
        guard let word = row[8] as String? else { return "event \(row[12] as Int)" }
        guard let kind = EventKind(rawValue: word) else { return word }
        let (builder, lane): (String?, Int) = (row[9], row[13])
        let build = (row[10] as Int?).map { "#\($0)" }
        let record = try (row[15] as String?).map(JSONValue.init(stored:))
        let step = record?["name"]?.stringValue
        let names: [String?] =
            switch kind.record {
            case .buildset: ["buildset \(abs(lane))"]
            case .buildrequest: [builder, "request \(lane)"]
            case .change: [record?["changeid"]?.intValue.map { "change \($0)" }]
            case .build, .step, .log, .properties, .worker, .scheduler: [builder, build, step]
            }
        let moment = moment(of: kind, Results(stored: record?["results"]?.intValue ?? row[14]))
        return (names.compactMap(\.self) + [moment]).joined(separator: " ")
    }

    /// What happened: the result, or else the event.
    private static func moment(of kind: EventKind, _ results: Results?) -> String {
        switch kind {
        case .buildNew, .stepStarted: "started"
        case .buildFinished, .stepFinished, .buildsetFinished: Results.text(results)
        default: kind.rawValue.split(separator: ".").last.map(String.init) ?? kind.rawValue
        }
    }
}
