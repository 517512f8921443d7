import GRDB
import MasterKit

/// Looks into the store of a master, also while it runs.
struct DayStore {
    struct Build {
        let id: Int
        let builder: String
        let number: Int
        let results: Int?
        let request: Int

        var name: String { "\(builder) #\(number)" }
    }

    private let queue: DatabaseQueue

    init(basedir: String) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        queue = try DatabaseQueue(
            path: basedir + "/buildmaster.sqlite", configuration: configuration)
    }

    private func number(_ sql: String) throws -> Int {
        try queue.read { try Int.fetchOne($0, sql: sql) ?? 0 }
    }

    // MARK: Schedulers and change sources

    /// The saved state of a scheduler or a change source.
    func state(_ name: String) throws -> JSONValue? {
        let text = try queue.read { database in
            try String.fetchOne(
                database, sql: "SELECT state FROM service_state WHERE name LIKE ?",
                arguments: [name])
        }
        return try text.map { try JSONValue(parsing: $0) }
    }

    /// When the next of the timers ends that schedulers have started, in milliseconds since 1970.
    func nextTimer() throws -> Int? {
        try ["stable", "polled"].flatMap { name in
            try state("schedulers/\(name)")?["collected"]?.arrayValue ?? []
        }.compactMap { $0["due_ms"]?.intValue }.min()
    }

    /// Whether the schedulers have looked at all changes, and all requests are complete.
    func isSettled() throws -> Bool {
        let newest = try number("SELECT max(id) FROM change")
        let isSeen = try ["stable", "polled", "any"].allSatisfy { name in
            try (state("schedulers/\(name)")?["seen"]?.intValue).map { $0 >= newest } ?? false
        }
        guard isSeen else { return false }
        return try number("SELECT count(*) FROM build_request WHERE complete_at IS NULL") == 0
    }

    /// When the scheduler `nightly` has submitted builds, in milliseconds since 1970.
    func nightlies() throws -> [Int] {
        try queue.read { database in
            try Int.fetchAll(
                database,
                sql: """
                    SELECT CAST(round(submitted_at * 1000) AS INTEGER) FROM buildset
                    WHERE json_extract(properties, '$.scheduler[0]') = 'nightly' ORDER BY id
                    """)
        }
    }

    /// The revisions of all changes, in order.
    func revisions() throws -> [String] {
        try queue.read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT revision FROM change
                    JOIN source_stamp ON source_stamp.id = source_stamp_id ORDER BY change.id
                    """)
        }
    }

    // MARK: Builds

    func builds() throws -> [Build] {
        try queue.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT build.id, name, number, results, request_id FROM build
                    JOIN builder ON builder.id = builder_id ORDER BY build.id
                    """
            ).map {
                Build(id: $0[0], builder: $0[1], number: $0[2], results: $0[3], request: $0[4])
            }
        }
    }

    /// The ids of requests with a result, and into which request each was collapsed.
    func requests(results: Int) throws -> [(id: Int, collapsedInto: Int?)] {
        try queue.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT id, collapsed_into FROM build_request WHERE results = ? ORDER BY id",
                arguments: [results]
            ).map { ($0[0], $0[1]) }
        }
    }

    /// How many builds of a builder run.
    func running(_ builder: String) throws -> Int {
        try queue.read { database in
            try Int.fetchOne(
                database,
                sql: """
                    SELECT count(*) FROM build JOIN builder ON builder.id = builder_id
                    WHERE complete_at IS NULL AND name = ?
                    """, arguments: [builder]) ?? 0
        }
    }

    // MARK: Reports

    /// The most attempts to deliver a report that is still open.
    func mostAttempts() throws -> Int {
        try number("SELECT max(attempts) FROM delivery WHERE state = 'open'")
    }

    func openReports() throws -> Int {
        try number("SELECT count(*) FROM delivery WHERE state = 'open'")
    }

    /// Whether all events have become reports, and all reports have been delivered.
    func isReported() throws -> Bool {
        let waiting = """
            SELECT count(*) FROM event WHERE kind IN ('build.new', 'build.finished')
            AND seq > (SELECT min(cursor) FROM reporter)
            """
        return try number(waiting) == 0 && openReports() == 0
    }

    func deadReports() throws -> Int {
        try number("SELECT count(*) FROM delivery WHERE state IN ('dead', 'parked')")
    }
}
