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
    /// event. What an endpoint said earlier about being closed is asked again in every run.
    func follow(reportersNamed names: [String]) throws -> [FollowedReporter] {
        let newest = try Event.newestSequence(in: database)
        let followed = try names.map { try follow($0, from: newest) }
        let present = Set(followed.map(\.id))
        for id in try database.all("SELECT id FROM reporter", [], { $0[0] as Int })
        where !present.contains(id) {
            try moveCursor(of: id, to: Self.absent)
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
    func close(reporter id: Int, because reason: String) throws {
        try database.run(
            "UPDATE reporter SET closed_at = ?, closed_reason = ? WHERE id = ?",
            [now.stored, reason, id]
        )
    }

    private func follow(_ name: String, from newest: Int) throws -> FollowedReporter {
        try database.run(
            "INSERT INTO reporter (name, cursor) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [name, newest]
        )
        try database.run(
            """
            UPDATE reporter SET closed_at = NULL, closed_reason = NULL,
            cursor = CASE cursor WHEN ? THEN ? ELSE cursor END WHERE name = ?
            """,
            [Self.absent, newest, name]
        )
        let found = try database.first(
            "SELECT id, cursor FROM reporter WHERE name = ?",
            [name]
        ) { FollowedReporter(id: $0[0], cursor: $0[1]) }
        guard let found else { throw DeliveryFault("the reporter \(name) cannot be kept") }
        try database.run(
            "UPDATE delivery SET state = 'open' WHERE reporter_id = ? AND state = 'parked'",
            [found.id]
        )
        return found
    }
}

/// A reporter as the store knows it.
struct FollowedReporter: Sendable {
    /// The row.
    let id: Int
    /// The event up to which its reports have been made.
    let cursor: Int
}
