import FoundationEssentials
import GRDB
import MasterKit

/// Storing deliveries.
extension StoreTransaction {
    /// The maximum number of stored attempts per delivery; the newest are kept.
    static let keptTryCount = 50
    /// The number of these whose response is kept.
    static let keptResponseCount = 5

    /// Moves the cursor of a reporter after an event that did not crash the program.
    func moveCursor(of reporterID: Int, to cursor: Int, after sequence: Int) throws {
        try database.run(
            """
            UPDATE reporter SET cursor = ?1, crashes = iif(suspect_seq = ?2, 0, crashes),
                suspect_seq = nullif(suspect_seq, ?2)
            WHERE id = ?3
            """,
            [cursor, sequence, reporterID]
        )
    }

    /// Moves the cursor of a reporter past events of kinds that it does not report, up to the next
    /// one that it does. Otherwise a reporter of rare events would keep all others in the store.
    func passEvents(notOf kinds: Set<EventKind>, of reporterID: Int) throws {
        let words = kinds.map(\.rawValue).sorted()
        let marks = databaseQuestionMarks(count: words.count)
        try database.run(
            """
            UPDATE reporter SET cursor = coalesce(
                (SELECT min(seq) - 1 FROM event WHERE seq > cursor AND kind IN (\(marks))),
                (SELECT max(seq) FROM event WHERE seq > cursor), cursor)
            WHERE id = ? AND cursor >= 0
            """,
            StatementArguments(words) + [reporterID]
        )
    }

    /// Stores the reports that a reporter's generators made for an event; existing ones are left
    /// unchanged.
    ///
    /// - Returns: The new open deliveries, in the order of their parts, and the number of new dead
    ///   ones.
    func insertReports(
        _ reports: [GeneratedReport], of event: Event, for reporterID: Int
    ) throws -> (open: [Delivery], deadCount: Int) {
        guard let sequence = event.sequence else { return ([], 0) }
        var row = NewDelivery(reporterID: reporterID, eventSequence: sequence, lane: event.lane)
        guard !reports.isEmpty else {
            try insert(row)
            return ([], 0)
        }
        var inserted: (open: [Delivery], deadCount: Int) = ([], 0)
        for generated in reports {
            row.part = generated.part
            switch generated.content {
            case .fault(let reason):
                row.state = .dead
                (row.report, row.error) = (
                    nil, reason.map { $0.beginning(ofUTF8: DeliveryAttempt.errorLimit) }
                )
                if try insert(row) != nil { inserted.deadCount += 1 }
            case .report(let report):
                row.state = .open
                (row.report, row.error) = (report, nil)
                if let id = try insert(row) { inserted.open.append(delivery(id, row)) }
            }
        }
        return inserted
    }

    /// Stores an attempt and its outcome.
    ///
    /// - Returns: Whether the delivery was still open. One that was closed meanwhile by other means
    ///   stays closed, except that a successful delivery and a permanently gone endpoint are always
    ///   recorded.
    /// - Throws: Any error from the database.
    func record(
        _ attempt: DeliveryAttempt, of delivery: Delivery, to reporterID: Int
    ) throws -> Bool {
        try insert(attempt, ofDelivery: delivery.id)
        if attempt.outcome != .delivered { try countResponseBytes(ofDelivery: delivery.id) }
        if let closure = attempt.closure { try close(reporter: reporterID, closure) }
        switch attempt.outcome {
        case .delivered:
            try database.run(
                """
                UPDATE delivery SET state = 'delivered', attempts = ?, next_at = NULL,
                    error = NULL, report = NULL, bytes = 0 WHERE id = ?
                """,
                [attempt.number, delivery.id]
            )
            return true
        case .again(let delay, _):
            let nextAt = now.addingTimeInterval(delay / .seconds(1))
            return try update(delivery, attempt, to: .open, nextAt: nextAt)
        case .dead:
            return try update(delivery, attempt, to: .dead, nextAt: nil)
        case .nothing:
            try database.run(
                """
                UPDATE delivery SET state = 'nothing', attempts = ?, next_at = NULL, error = ?,
                    report = NULL, bytes = 0 WHERE id = ? AND state = 'open'
                """,
                [attempt.number, attempt.error?.value, delivery.id]
            )
            return database.changesCount > 0
        case .closed:
            _ = try update(delivery, attempt, to: .open, nextAt: nil)
            return true
        }
    }

    private func insert(_ attempt: DeliveryAttempt, ofDelivery id: Int) throws {
        try database.run(
            """
            INSERT INTO attempt (delivery_id, n, at, duration, status, error, answer)
            SELECT id, ?, ?, ?, ?, ?, ? FROM delivery WHERE id = ? ON CONFLICT DO NOTHING
            """,
            [
                attempt.number, attempt.at.stored, attempt.duration / .seconds(1),
                attempt.status, attempt.error?.value, attempt.responseText?.value, id,
            ]
        )
        if attempt.number > Self.keptResponseCount {
            try database.run(
                "UPDATE attempt SET answer = NULL WHERE delivery_id = ? AND n = ?",
                [id, attempt.number - Self.keptResponseCount])
        }
        guard attempt.number > Self.keptTryCount else { return }
        try database.run(
            "DELETE FROM attempt WHERE delivery_id = ? AND n <= ?",
            [id, attempt.number - Self.keptTryCount])
    }

    /// Updates the size of the stored responses of a pending delivery.
    private func countResponseBytes(ofDelivery id: Int) throws {
        try database.run(
            """
            UPDATE delivery SET answer_bytes = (
                SELECT ifnull(sum(length(CAST(answer AS BLOB))), 0) FROM attempt
                WHERE delivery_id = ?1
            ) WHERE id = ?1 AND state = 'open'
            """,
            [id]
        )
    }

    private func update(
        _ delivery: Delivery, _ attempt: DeliveryAttempt, to state: DeliveryState, nextAt: Date?
    ) throws -> Bool {
        try database.run(
            """
            UPDATE delivery SET state = ?, attempts = ?, next_at = ?, not_before = ?, error = ?,
                ended_at = ?
            WHERE id = ? AND state = 'open'
            """,
            [
                state.rawValue, attempt.number, nextAt?.stored, attempt.notBefore?.stored,
                attempt.error?.value,
                state == .dead ? now.stored : nil, delivery.id,
            ]
        )
        return database.changesCount > 0
    }

    private func delivery(_ id: Int, _ row: NewDelivery) -> Delivery {
        Delivery(
            id: id, eventSequence: row.eventSequence, part: row.part, lane: row.lane, attempts: 0,
            since: now, due: .zero,
            origin: row.report.map { Report.origin(ofStored: $0.value) } ?? "",
            byteCount: row.byteCount,
            report: row.byteCount <= Delivery.smallByteCount ? row.report?.value : nil)
    }

    @discardableResult
    private func insert(_ row: NewDelivery) throws -> Int? {
        try database.run(
            """
            INSERT INTO delivery
                (reporter_id, event_seq, part, lane, report, state, error, bytes, since, ended_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
            [
                row.reporterID, row.eventSequence, row.part, row.lane, row.report?.value,
                row.state.rawValue, row.error?.value, row.byteCount, now.stored,
                row.state == .dead ? now.stored : nil,
            ]
        )
        return database.changesCount > 0 ? Int(database.lastInsertedRowID) : nil
    }
}

extension Database {
    /// Returns whether a delivery has yet to be sent, and its report as stored.
    func storedReport(ofDelivery id: Int) throws -> (isOpen: Bool, report: String?) {
        let found = try first("SELECT report FROM delivery WHERE id = ? AND state = 'open'", [id]) {
            (isOpen: true, report: $0[0] as String?)
        }
        return found ?? (false, nil)
    }
}

/// A delivery to be inserted.
private struct NewDelivery {
    let reporterID: Int
    let eventSequence: Int
    let lane: Int
    var part = 0
    var state = DeliveryState.nothing
    var report: Masked<String>?
    var error: Masked<String>?

    var byteCount: Int { report?.value.utf8.count ?? 0 }
}

/// The known reporters, including those of earlier configurations.
extension StoreTransaction {
    /// The cursor of a reporter that is currently not configured.
    private static let absent = -1

    /// Sets up the configured reporters, in order, and parks the deliveries of all others.
    ///
    /// A reporter that is new, or was not configured in the last run, starts with the next event.
    func follow(reportersNamed names: [String]) throws -> [FollowedReporter] {
        let newest = try Event.newestSequence(in: database)
        let followed = try names.map { try follow($0, from: newest) }
        let present = Set(followed.map(\.id))
        for id in try database.all("SELECT id FROM reporter", [], { $0[0] as Int })
        where !present.contains(id) {
            try database.run("UPDATE reporter SET cursor = ? WHERE id = ?", [Self.absent, id])
            try database.run(
                """
                UPDATE delivery INDEXED BY delivery_kept SET state = 'parked', next_at = NULL
                \(DeliveryState.open.condition) AND reporter_id = ?
                """,
                [id]
            )
        }
        return followed
    }

    /// Closes a reporter, because its endpoint no longer exists.
    func close(reporter id: Int, _ closure: EndpointClosure) throws {
        try database.run(
            "UPDATE reporter SET closed_at = ?, closed_reason = ?, closed_receiver = ? WHERE id = ?",
            [now.stored, closure.reason.value, closure.receiver, id]
        )
    }

    private func follow(_ name: String, from newest: Int) throws -> FollowedReporter {
        try database.run(
            "INSERT INTO reporter (name, cursor) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [name, newest])
        try database.run(
            "UPDATE reporter SET cursor = ? WHERE name = ? AND cursor = ?",
            [newest, name, Self.absent])
        let found = try database.first(
            """
            SELECT id, cursor, suspect_seq, crashes, closed_reason, closed_receiver
            FROM reporter WHERE name = ?
            """,
            [name]
        ) { row in
            FollowedReporter(
                id: row[0], cursor: row[1],
                suspicion: (row[2] as Int?).map {
                    CrashSuspect(eventSequence: $0, crashes: row[3])
                },
                closure: (row[4] as String?).map {
                    EndpointClosure(reason: Masked(alreadyMasked: $0), receiver: row[5])
                })
        }
        guard let found else { throw DeliveryFault("the reporter \(name) cannot be kept") }
        try database.run(
            """
            UPDATE delivery INDEXED BY delivery_kept SET state = 'open'
            \(DeliveryState.parked.condition) AND reporter_id = ?
            """,
            [found.id])
        return found
    }
}

/// A reporter as stored.
struct FollowedReporter: Sendable {
    /// The id of the row.
    let id: Int
    /// The event up to which its reports have been generated.
    let cursor: Int
    /// The event that was being handled alone when the program crashed.
    var suspicion: CrashSuspect?
    /// Why nothing is sent to its endpoint.
    var closure: EndpointClosure?
}

/// Why nothing more is sent to an endpoint.
struct EndpointClosure: Sendable {
    /// The reason given by the endpoint.
    let reason: Masked<String>
    /// Identifies its URL; `nil` for a reporter that has none.
    let receiver: String?
}
