import GRDB

/// The store left by a master that was killed.
struct ChaosStore {
    private let queue: DatabaseQueue

    init(basedir: String) throws {
        queue = try DatabaseQueue(path: basedir + "/buildmaster.sqlite")
    }

    /// Whether a build was running or a report was undelivered.
    func wasBusy() throws -> Bool {
        try queue.read { database in
            // The master may have been killed before creating its tables.
            guard try database.tableExists("build") else { return false }
            let queries = [
                "SELECT count(*) FROM build WHERE complete_at IS NULL",
                "SELECT count(*) FROM delivery WHERE state = 'open'",
                "SELECT count(*) FROM event WHERE seq > (SELECT min(cursor) FROM reporter)",
            ]
            return try queries.contains { try Int.fetchOne(database, sql: $0) ?? 0 > 0 }
        }
    }

    /// Whether a report was being generated alone, so that the kill counts against its event.
    func wasSuspected() throws -> Bool {
        try queue.read { database in
            guard try database.tableExists("reporter") else { return false }
            let sql = "SELECT count(*) FROM reporter WHERE suspect_seq IS NOT NULL"
            return try Int.fetchOne(database, sql: sql) ?? 0 > 0
        }
    }

    /// All builds as `builder #number`.
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

    /// The number of reports in a state.
    func count(_ state: String) throws -> Int {
        try queue.read { database in
            try Int.fetchOne(
                database, sql: "SELECT count(*) FROM delivery WHERE state = ?", arguments: [state])
                ?? 0
        }
    }
}
