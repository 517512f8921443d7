import FoundationEssentials
import GRDB
import MasterKit

/// What the outbox keeps.
extension StoreTransaction {
    /// Keeps what the generators of a reporter made of an event; what is there already stands.
    ///
    /// - Returns: The open deliveries that are new, in the order of their parts.
    func keep(_ drafts: [Draft], of event: Event, for reporterID: Int) throws -> [Letter] {
        guard let sequence = event.sequence else { return [] }
        let lane = event.lane
        guard !drafts.isEmpty else {
            try insert(reporterID, sequence, 0, lane, report: nil, state: .nothing, error: nil)
            return []
        }
        return try drafts.compactMap { draft in
            switch draft.content {
            case .fault(let reason):
                try insert(
                    reporterID,
                    sequence,
                    draft.part,
                    lane,
                    report: nil,
                    state: .dead,
                    error: reason
                )
                return nil
            case .report(let report):
                let text = report.stored
                let id = try insert(
                    reporterID,
                    sequence,
                    draft.part,
                    lane,
                    report: text,
                    state: .open,
                    error: nil
                )
                return id.map { id in
                    Letter(
                        id: id,
                        eventSequence: sequence,
                        part: draft.part,
                        lane: lane,
                        attempts: 0,
                        due: .zero,
                        report: report,
                        byteCount: text.utf8.count
                    )
                }
            }
        }
    }

    /// Moves the cursor of a reporter.
    func moveCursor(of reporterID: Int, to sequence: Int) throws {
        try database.run(
            "UPDATE reporter SET cursor = ? WHERE id = ?",
            [sequence, reporterID]
        )
    }

    /// Keeps a try and what became of its delivery.
    func keep(_ attempt: Attempt, of letter: Letter, outcome: DeliveryOutcome) throws {
        try database.run(
            """
            INSERT INTO attempt (delivery_id, n, at, duration, status, error, answer)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                letter.id, attempt.number, attempt.at.stored, attempt.duration / .seconds(1),
                attempt.status, attempt.error, attempt.answer,
            ]
        )
        switch outcome {
        case .delivered:
            try update(letter, attempt, to: .delivered, nextAt: nil)
            try database.run("UPDATE delivery SET report = NULL WHERE id = ?", [letter.id])
        case .again(let delay, _):
            let nextAt = now.addingTimeInterval(delay / .seconds(1))
            try update(letter, attempt, to: .open, nextAt: nextAt)
        case .dead:
            try update(letter, attempt, to: .dead, nextAt: nil)
        case .closed:
            try update(letter, attempt, to: .open, nextAt: nil)
        }
    }

    private func update(
        _ letter: Letter,
        _ attempt: Attempt,
        to state: DeliveryState,
        nextAt: Date?
    ) throws {
        try database.run(
            "UPDATE delivery SET state = ?, attempts = ?, next_at = ?, error = ? WHERE id = ?",
            [state.rawValue, attempt.number, nextAt?.stored, attempt.error, letter.id]
        )
    }

    @discardableResult
    private func insert(
        _ reporterID: Int,
        _ sequence: Int,
        _ part: Int,
        _ lane: Int,
        report: String?,
        state: DeliveryState,
        error: String?
    ) throws -> Int? {
        try database.run(
            """
            INSERT INTO delivery (reporter_id, event_seq, part, lane, report, state, error)
            VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
            [reporterID, sequence, part, lane, report, state.rawValue, error]
        )
        return database.changesCount > 0 ? Int(database.lastInsertedRowID) : nil
    }
}
