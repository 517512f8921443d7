import FoundationEssentials
import GRDB
import MasterKit

/// The reporters that the outbox knows, those of earlier configurations too.
extension StoreTransaction {
    /// Where a reporter stands that nobody configures at present: nowhere.
    private static let absent = -1

    /// Takes the configured reporters up, in their order, and parks what belongs to all others.
    ///
    /// A reporter that is new, or that was not configured in the last run, begins with the next
    /// event.
    func follow(reportersNamed names: [String]) throws -> [FollowedReporter] {
        let newest = try Event.newestSequence(in: database)
        let followed = try names.map { try follow($0, from: newest) }
        let present = Set(followed.map(\.id))
        for id in try database.all("SELECT id FROM reporter", [], { $0[0] as Int })
        where !present.contains(id) {
            try database.run("UPDATE reporter SET cursor = ? WHERE id = ?", [Self.absent, id])
            try database.run(
                """
                UPDATE delivery SET state = 'parked', next_at = NULL
                WHERE reporter_id = ? AND state = 'open'
                """,
                [id]
            )
        }
        return followed
    }

    /// Closes a reporter: its endpoint is gone.
    func close(reporter id: Int, _ closure: EndpointClosure) throws {
        try database.run(
            "UPDATE reporter SET closed_at = ?, closed_reason = ?, closed_receiver = ? WHERE id = ?",
            [now.stored, closure.reason, closure.receiver, id]
        )
    }

    private func follow(_ name: String, from newest: Int) throws -> FollowedReporter {
        try database.run(
            "INSERT INTO reporter (name, cursor) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [name, newest]
        )
        try database.run(
            "UPDATE reporter SET cursor = ? WHERE name = ? AND cursor = ?",
            [newest, name, Self.absent]
        )
        let found = try database.first(
            """
            SELECT id, cursor, suspect_seq, crashes, closed_reason, closed_receiver
            FROM reporter WHERE name = ?
            """,
            [name]
        ) { row in
            FollowedReporter(
                id: row[0],
                cursor: row[1],
                suspicion: (row[2] as Int?).map { Suspicion(eventSequence: $0, crashes: row[3]) },
                closure: (row[4] as String?).map { EndpointClosure(reason: $0, receiver: row[5]) }
            )
        }
        guard let found else { throw DeliveryFault("the reporter \(name) cannot be kept") }
        try database.run(
            "UPDATE delivery SET state = 'open' WHERE reporter_id = ? AND state = 'parked'",
            [found.id]
        )
        return found
    }
}

/// Crash counting.
extension StoreTransaction {
    /// Moves the cursor of a reporter after an event, which did not bring the program down.
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

    /// Notes, before an event is worked on, that it may bring the program down.
    func suspect(_ sequence: Int, of reporterID: Int) throws {
        try database.run(
            """
            UPDATE reporter SET crashes = iif(suspect_seq = ?1, crashes + 1, 1), suspect_seq = ?1
            WHERE id = ?2
            """,
            [sequence, reporterID]
        )
    }

    /// Notes that an event did not bring the program down, though no report was made of it.
    func acquit(_ sequence: Int, of reporterID: Int) throws {
        try database.run(
            """
            UPDATE reporter SET suspect_seq = NULL, crashes = 0 WHERE id = ? AND suspect_seq = ?
            """,
            [reporterID, sequence]
        )
    }
}

/// A reporter as the store knows it.
struct FollowedReporter: Sendable {
    /// The row.
    let id: Int
    /// The event up to which its reports have been made.
    let cursor: Int
    /// The event that was worked on alone when the program went down.
    var suspicion: Suspicion?
    /// Why nothing is sent to its endpoint.
    var closure: EndpointClosure?
}

/// An event that was worked on alone when the program went down.
struct Suspicion: Sendable {
    /// The event.
    let eventSequence: Int
    /// How often that happened.
    let crashes: Int
}

/// Why nothing more is sent to an endpoint.
struct EndpointClosure: Sendable {
    /// What it said, masked.
    let reason: String
    /// What tells its address from others; `nil` for a reporter that has none.
    let receiver: String?
}
