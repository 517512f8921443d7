import FoundationEssentials
import GRDB
import MasterKit

/// What the outbox keeps.
extension StoreTransaction {
    /// How many tries of one delivery are kept, the newest.
    static let keptTryCount = 50
    /// Of how many of these the answer is kept.
    static let keptAnswerCount = 5

    /// Keeps what the generators of a reporter made of an event; what is there already stands.
    ///
    /// - Returns: The open deliveries that are new, in the order of their parts, and how many are
    ///   new and dead.
    func keep(
        _ drafts: [Draft], of event: Event, for reporterID: Int
    ) throws -> (open: [Letter], deadCount: Int) {
        guard let sequence = event.sequence else { return ([], 0) }
        var row = NewDelivery(reporterID: reporterID, eventSequence: sequence, lane: event.lane)
        guard !drafts.isEmpty else {
            try insert(row)
            return ([], 0)
        }
        var kept: (open: [Letter], deadCount: Int) = ([], 0)
        for draft in drafts {
            row.part = draft.part
            switch draft.content {
            case .fault(let reason):
                row.state = .dead
                (row.report, row.error) = (nil, reason.beginning(ofUTF8: Attempt.errorLimit))
                if try insert(row) != nil { kept.deadCount += 1 }
            case .report(let report):
                row.state = .open
                (row.report, row.error) = (report, nil)
                if let id = try insert(row) { kept.open.append(letter(id, row)) }
            }
        }
        return kept
    }

    /// Keeps a try and what became of its delivery.
    ///
    /// A row that somebody else has closed meanwhile stays so, unless the report has arrived.
    func keep(
        _ attempt: Attempt,
        of letter: Letter,
        outcome: DeliveryOutcome,
        notBefore: Date? = nil
    ) throws {
        try keep(attempt, ofDelivery: letter.id)
        switch outcome {
        case .delivered:
            try database.run(
                """
                UPDATE delivery SET state = 'delivered', attempts = ?, next_at = NULL,
                    error = NULL, report = NULL, bytes = 0 WHERE id = ?
                """,
                [attempt.number, letter.id]
            )
        case .again(let delay, _):
            let nextAt = now.addingTimeInterval(delay / .seconds(1))
            try update(letter, attempt, to: .open, nextAt: nextAt, notBefore: notBefore)
        case .dead:
            try update(letter, attempt, to: .dead, nextAt: nil)
        case .closed:
            try update(letter, attempt, to: .open, nextAt: nil)
        }
    }

    private func keep(_ attempt: Attempt, ofDelivery id: Int) throws {
        try database.run(
            """
            INSERT INTO attempt (delivery_id, n, at, duration, status, error, answer)
            SELECT id, ?, ?, ?, ?, ?, ? FROM delivery WHERE id = ? ON CONFLICT DO NOTHING
            """,
            [
                attempt.number, attempt.at.stored, attempt.duration / .seconds(1),
                attempt.status, attempt.error, attempt.answer, id,
            ]
        )
        try keepFewAnswers(ofDelivery: id, after: attempt.number)
        guard attempt.number > Self.keptTryCount else { return }
        try database.run(
            "DELETE FROM attempt WHERE delivery_id = ? AND n <= ?",
            [id, attempt.number - Self.keptTryCount]
        )
    }

    private func keepFewAnswers(ofDelivery id: Int, after number: Int) throws {
        if number > Self.keptAnswerCount {
            try database.run(
                "UPDATE attempt SET answer = NULL WHERE delivery_id = ? AND n = ?",
                [id, number - Self.keptAnswerCount]
            )
        }
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
        _ letter: Letter,
        _ attempt: Attempt,
        to state: DeliveryState,
        nextAt: Date?,
        notBefore: Date? = nil
    ) throws {
        try database.run(
            """
            UPDATE delivery SET state = ?, attempts = ?, next_at = ?, not_before = ?, error = ?,
                ended_at = ?
            WHERE id = ? AND state = 'open'
            """,
            [
                state.rawValue, attempt.number, nextAt?.stored, notBefore?.stored, attempt.error,
                state == .dead ? now.stored : nil, letter.id,
            ]
        )
    }

    private func letter(_ id: Int, _ row: NewDelivery) -> Letter {
        Letter(
            id: id,
            eventSequence: row.eventSequence,
            part: row.part,
            lane: row.lane,
            attempts: 0,
            since: now,
            due: .zero,
            byteCount: row.byteCount
        )
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
                row.reporterID, row.eventSequence, row.part, row.lane, row.report,
                row.state.rawValue, row.error, row.byteCount, now.stored,
                row.state == .dead ? now.stored : nil,
            ]
        )
        return database.changesCount > 0 ? Int(database.lastInsertedRowID) : nil
    }
}

/// A delivery that is about to get its row.
private struct NewDelivery {
    let reporterID: Int
    let eventSequence: Int
    let lane: Int
    var part = 0
    var state = DeliveryState.nothing
    var report: String?
    var error: String?

    var byteCount: Int { report?.utf8.count ?? 0 }
}
