import GRDB

/// What a master that was killed has left.
struct ChaosStore {
    private let queue: DatabaseQueue

    init(basedir: String) throws {
        queue = try DatabaseQueue(path: basedir + "/buildmaster.sqlite")
    }

    /// Whether a build was running, or a report was not yet delivered.
    func wasBusy() throws -> Bool {
        try queue.read { database in
            // The master may have been killed before it had made its tables.
            guard try database.tableExists("build") else { return false }
            let queries = [
                "SELECT count(*) FROM build WHERE complete_at IS NULL",
                "SELECT count(*) FROM delivery WHERE state = 'open'",
                "SELECT count(*) FROM event WHERE seq > (SELECT min(cursor) FROM reporter)",
            ]
            return try queries.contains { try Int.fetchOne(database, sql: $0) ?? 0 > 0 }
        }
    }

    /// Every build: `builder #number`.
    func builds() throws -> [String] {
        try queue.read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT builder.name || ' #' || number FROM build
                    JOIN builder ON builder.id = builder_id ORDER BY build.id
                    """)
        }
    }

    /// How many reports are in a state.
    func count(_ state: String) throws -> Int {
        try queue.read { database in
            try Int.fetchOne(
                database, sql: "SELECT count(*) FROM delivery WHERE state = ?", arguments: [state])
                ?? 0
        }
    }
}
