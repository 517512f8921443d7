internal import GRDB

/// The tables of the store and the migrations from older versions.
///
/// A released migration is never changed; new ones are appended. Dates are seconds since 1970;
/// delivery states are those of `DeliveryState`.
enum StoreSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { try $0.execute(sql: records + events) }
        migrator.registerMigration("2") { try $0.execute(sql: keptDeliveries) }
        migrator.registerMigration("3") { try $0.execute(sql: endedDeliveries) }
        migrator.registerMigration("4") { try $0.execute(sql: requestsAndServices) }
        migrator.registerMigration("5") { try $0.execute(sql: endings) }
        migrator.registerMigration("6") { try $0.execute(sql: locksAndLinks) }
        migrator.registerMigration("7 properties") { try $0.execute(sql: changedProperties) }
        migrator.registerMigration("8 changes") { try $0.execute(sql: changes) }
        migrator.registerMigration("9 web") { try $0.execute(sql: web) }
        migrator.registerMigration("10 schedulers") { try $0.execute(sql: collapsing) }
        migrator.registerMigration("11 workers") { try $0.execute(sql: workers) }
        migrator.registerMigration("12 sources") { try $0.execute(sql: hookRequests) }
        migrator.registerMigration("13 retries") { try $0.execute(sql: retries) }
        migrator.registerMigration("14 pauses") { try $0.execute(sql: pauseReasons) }
        return migrator
    }

    /// The SQLite application id that identifies a store: `BMST` in ASCII.
    static let applicationID = 0x424D_5354

    private static let tables: Set = [
        "meta", "builder", "worker", "buildset", "source_stamp", "build_request", "build", "step",
        "log", "event", "reporter", "delivery", "attempt",
    ]

    /// Checks that a database is a store that this version can use; changes nothing.
    ///
    /// - Parameters:
    ///   - database: The database, open for reading at least.
    ///   - path: Its path, for error messages.
    /// - Throws: ``StoreError``, or a database error.
    static func check(_ database: some DatabaseReader, at path: String) throws {
        let (application, names, isNewer) = try database.read { database in
            (
                try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0,
                try String.fetchSet(
                    database, sql: "SELECT name FROM sqlite_master WHERE type = 'table'"),
                try migrator.hasBeenSuperseded(database)
            )
        }
        guard application == applicationID || application == 0 else {
            throw StoreError(foreign: path)
        }
        guard !names.isEmpty else { throw StoreError(empty: path) }
        guard names.contains("grdb_migrations"), !names.isDisjoint(with: tables) else {
            throw StoreError(foreign: path)
        }
        guard !isNewer else {
            throw StoreError(
                .newer,
                "\(path) was written by a newer version of this program; use that version, or "
                    + "name another folder with --basedir"
            )
        }
        let isOlder = try database.read { try !migrator.appliedIdentifiers($0).contains("4") }
        let expected = isOlder ? tables : tables.union(["service_state"])
        guard let missing = expected.subtracting(names).min() else { return }
        throw StoreError(lacking: missing, at: path)
    }

    /// Migrates a store to the current schema.
    static func upgrade(_ database: some DatabaseWriter, at path: String) throws {
        try check(database, at: path)
        try migrator.migrate(database)
    }

    private static let records = """
        CREATE TABLE meta (
            id INTEGER PRIMARY KEY CHECK (id = 1), store_id TEXT NOT NULL,
            clean INTEGER NOT NULL) STRICT;
        CREATE TABLE builder (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT, tags TEXT NOT NULL,
            next_number INTEGER NOT NULL DEFAULT 1) STRICT;
        CREATE TABLE worker (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE buildset (
            id INTEGER PRIMARY KEY AUTOINCREMENT, reason TEXT NOT NULL, submitted_at REAL NOT NULL,
            complete_at REAL, results INTEGER, parent_build_id INTEGER, parent_relationship TEXT,
            rebuilt_build_id INTEGER, properties TEXT NOT NULL) STRICT;
        CREATE TABLE source_stamp (
            id INTEGER PRIMARY KEY,
            buildset_id INTEGER NOT NULL REFERENCES buildset ON DELETE CASCADE, branch TEXT,
            revision TEXT, repository TEXT NOT NULL, project TEXT NOT NULL, codebase TEXT NOT NULL,
            created_at REAL NOT NULL) STRICT;
        CREATE INDEX source_stamp_buildset ON source_stamp(buildset_id);
        CREATE TABLE build_request (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            buildset_id INTEGER NOT NULL REFERENCES buildset ON DELETE CASCADE,
            builder_id INTEGER NOT NULL REFERENCES builder, priority INTEGER NOT NULL,
            submitted_at REAL NOT NULL, claimed_at REAL, complete_at REAL, results INTEGER,
            waited_for INTEGER NOT NULL) STRICT;
        CREATE INDEX build_request_buildset ON build_request(buildset_id);
        CREATE INDEX build_request_pending ON build_request(id)
            WHERE claimed_at IS NULL AND complete_at IS NULL;
        CREATE TABLE build (
            id INTEGER PRIMARY KEY AUTOINCREMENT, builder_id INTEGER NOT NULL REFERENCES builder,
            number INTEGER NOT NULL,
            request_id INTEGER NOT NULL REFERENCES build_request ON DELETE CASCADE,
            worker_id INTEGER NOT NULL REFERENCES worker, previous_build_id INTEGER,
            started_at REAL NOT NULL, complete_at REAL, results INTEGER, state_string TEXT NOT NULL,
            properties TEXT NOT NULL, UNIQUE (builder_id, number)) STRICT;
        CREATE INDEX build_request_builds ON build(request_id);
        CREATE INDEX build_unfinished ON build(id) WHERE complete_at IS NULL;
        CREATE TABLE step (
            id INTEGER PRIMARY KEY, build_id INTEGER NOT NULL REFERENCES build ON DELETE CASCADE,
            number INTEGER NOT NULL, name TEXT NOT NULL, started_at REAL, complete_at REAL,
            results INTEGER, state_string TEXT NOT NULL, hidden INTEGER NOT NULL DEFAULT 0,
            UNIQUE (build_id, number)) STRICT;
        CREATE TABLE log (
            id INTEGER PRIMARY KEY, step_id INTEGER NOT NULL REFERENCES step ON DELETE CASCADE,
            name TEXT NOT NULL, slug TEXT NOT NULL, kind TEXT NOT NULL,
            complete INTEGER NOT NULL DEFAULT 0, line_count INTEGER NOT NULL DEFAULT 0,
            path TEXT NOT NULL, UNIQUE (step_id, slug)) STRICT;
        """

    private static let requestsAndServices = """
        ALTER TABLE buildset ADD COLUMN origin TEXT NOT NULL DEFAULT 'run';
        ALTER TABLE buildset ADD COLUMN secret_references TEXT;
        CREATE TABLE service_state (
            name TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
        """

    private static let events = """
        CREATE TABLE event (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL,
            lane INTEGER NOT NULL, build_id INTEGER, prev_build_id INTEGER,
            snapshot TEXT NOT NULL) STRICT;
        CREATE TABLE reporter (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cursor INTEGER NOT NULL,
            suspect_seq INTEGER, crashes INTEGER NOT NULL DEFAULT 0, closed_at REAL,
            closed_reason TEXT) STRICT;
        CREATE TABLE delivery (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            reporter_id INTEGER NOT NULL REFERENCES reporter ON DELETE CASCADE,
            event_seq INTEGER NOT NULL,
            part INTEGER NOT NULL,
            lane INTEGER NOT NULL,
            report TEXT,
            state TEXT NOT NULL
                CHECK (state IN ('open', 'delivered', 'dead', 'parked', 'nothing')),
            attempts INTEGER NOT NULL DEFAULT 0,
            next_at REAL,
            error TEXT,
            UNIQUE (reporter_id, event_seq, part)
        ) STRICT;
        CREATE INDEX delivery_open ON delivery(reporter_id, lane, event_seq, part)
            WHERE state = 'open';
        CREATE TABLE attempt (
            delivery_id INTEGER NOT NULL REFERENCES delivery ON DELETE CASCADE, n INTEGER NOT NULL,
            at REAL NOT NULL, duration REAL NOT NULL, status INTEGER, error TEXT, answer TEXT,
            PRIMARY KEY (delivery_id, n)) STRICT, WITHOUT ROWID;
        """
}

extension StoreSchema {
    /// Retention limits, endpoints that stay closed, and changes from outside the master.
    ///
    /// `since` is when the retry schedule of a delivery began, and `tries_before` the number of
    /// attempts before that. `changed` is the value of `meta.changes` at which another process
    /// changed the row. The index covers every query about retention, so that the reports
    /// themselves need not be read.
    static let keptDeliveries = """
        ALTER TABLE meta ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE reporter ADD COLUMN closed_receiver TEXT;
        ALTER TABLE delivery ADD COLUMN since REAL;
        ALTER TABLE delivery ADD COLUMN tries_before INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE delivery ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE delivery ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
        UPDATE delivery SET bytes = ifnull(length(CAST(report AS BLOB)), 0),
            since = (SELECT at FROM event WHERE seq = event_seq);
        DROP INDEX delivery_open;
        CREATE INDEX delivery_kept ON delivery(reporter_id, lane, event_seq, state, bytes, since)
            WHERE state IN ('open', 'parked', 'dead');
        CREATE INDEX delivery_changed ON delivery(changed) WHERE changed > 0;
        """

    /// When steps got their locks, how long builds have waited for them, and the links of steps.
    static let locksAndLinks = """
        ALTER TABLE build ADD COLUMN locks_duration REAL NOT NULL DEFAULT 0;
        ALTER TABLE step ADD COLUMN locks_acquired_at REAL;
        ALTER TABLE step ADD COLUMN urls TEXT;
        UPDATE step SET locks_acquired_at = started_at;
        """

    /// The properties that steps have set in a build that is running, in the order in which they
    /// were first set. When it finishes, they move to its own row.
    static let changedProperties = """
        CREATE TABLE build_property (
            id INTEGER PRIMARY KEY, build_id INTEGER NOT NULL REFERENCES build ON DELETE CASCADE,
            name TEXT NOT NULL, value TEXT NOT NULL, source TEXT NOT NULL,
            UNIQUE (build_id, name)) STRICT;
        """

    /// Changes to the sources, and the buildsets made of them.
    ///
    /// A change has a source stamp of its own, which belongs to no buildset.
    static let changes = """
        CREATE TABLE new_source_stamp (
            id INTEGER PRIMARY KEY, buildset_id INTEGER REFERENCES buildset ON DELETE CASCADE,
            branch TEXT, revision TEXT, repository TEXT NOT NULL, project TEXT NOT NULL,
            codebase TEXT NOT NULL, created_at REAL NOT NULL) STRICT;
        INSERT INTO new_source_stamp SELECT id, buildset_id, branch, revision, repository, project,
            codebase, created_at FROM source_stamp;
        DROP TABLE source_stamp;
        ALTER TABLE new_source_stamp RENAME TO source_stamp;
        CREATE INDEX source_stamp_buildset ON source_stamp(buildset_id);
        CREATE INDEX source_stamp_change ON source_stamp(repository, branch, project, codebase)
            WHERE buildset_id IS NULL;
        CREATE TABLE change (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            source_stamp_id INTEGER NOT NULL UNIQUE REFERENCES source_stamp,
            parent_id INTEGER, author TEXT NOT NULL, committer TEXT, comments TEXT NOT NULL,
            files TEXT NOT NULL, revlink TEXT, category TEXT, when_timestamp REAL NOT NULL,
            properties TEXT NOT NULL) STRICT;
        CREATE TABLE buildset_change (
            buildset_id INTEGER NOT NULL REFERENCES buildset ON DELETE CASCADE,
            change_id INTEGER NOT NULL REFERENCES change ON DELETE CASCADE,
            PRIMARY KEY (buildset_id, change_id)) STRICT, WITHOUT ROWID;
        CREATE INDEX buildset_change_change ON buildset_change(change_id);
        """

    /// How often builds of a request have ended with retry: the limit holds over several masters.
    static let retries = """
        ALTER TABLE build_request ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
        """

    /// Schedulers and change sources with their ids, and indices for the queries of the data API.
    ///
    /// `build_fields` has the fields that clients filter and order builds by, so that their rows,
    /// which are large, need not be read to find those of a page.
    static let web = """
        CREATE TABLE scheduler (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
            enabled INTEGER NOT NULL DEFAULT 1) STRICT;
        CREATE TABLE change_source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
        CREATE INDEX build_fields ON build(
            builder_id, number, complete_at, started_at, results, worker_id, request_id);
        CREATE INDEX build_started ON build(started_at);
        CREATE INDEX build_running ON build(started_at) WHERE complete_at IS NULL;
        CREATE INDEX build_worker ON build(worker_id);
        CREATE INDEX build_request_builder ON build_request(builder_id, complete_at);
        CREATE INDEX buildset_parent ON buildset(parent_build_id)
            WHERE parent_build_id IS NOT NULL;
        CREATE INDEX buildset_rebuilt ON buildset(rebuilt_build_id)
            WHERE rebuilt_build_id IS NOT NULL;
        UPDATE build_request SET claimed_at = complete_at
            WHERE claimed_at IS NULL AND complete_at IS NOT NULL;
        """

    /// Whether builds may begin on a worker.
    static let workers = """
        ALTER TABLE worker ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
        """

    /// Why no builds may begin on a worker.
    static let pauseReasons = """
        ALTER TABLE worker ADD COLUMN pause_reason TEXT NOT NULL DEFAULT '';
        """

    /// The requests of change hooks, by which one that comes again is known.
    static let hookRequests = """
        CREATE TABLE hook_request (
            digest TEXT PRIMARY KEY, received_at REAL NOT NULL, changes TEXT NOT NULL)
            STRICT, WITHOUT ROWID;
        CREATE INDEX hook_request_received ON hook_request(received_at);
        """

    /// Which request was built in place of another one, and whether that may be done: not if
    /// somebody waits for its build.
    static let collapsing = """
        ALTER TABLE build_request ADD COLUMN collapsed_into INTEGER;
        ALTER TABLE build_request ADD COLUMN collapsible INTEGER NOT NULL DEFAULT 1;
        CREATE INDEX build_request_collapsed ON build_request(collapsed_into)
            WHERE collapsed_into IS NOT NULL;
        """

    /// Indexes to find what may be removed without scanning all delivered and pending reports, and
    /// the end of a buildset without scanning all its requests.
    static let endings = """
        CREATE INDEX delivery_done ON delivery(state, event_seq)
            WHERE state IN ('delivered', 'nothing');
        CREATE INDEX build_request_open ON build_request(buildset_id) WHERE complete_at IS NULL;
        """

    /// When reports expired and whether that was announced, how long a receiver asked for a pause,
    /// and the size of the responses kept with a delivery.
    static let endedDeliveries = """
        PRAGMA application_id = \(applicationID);
        ALTER TABLE delivery ADD COLUMN ended_at REAL;
        ALTER TABLE delivery ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE delivery ADD COLUMN not_before REAL;
        ALTER TABLE delivery ADD COLUMN answer_bytes INTEGER NOT NULL DEFAULT 0;
        UPDATE delivery SET ended_at = since, told = 1 WHERE state = 'dead';
        DROP INDEX delivery_kept;
        CREATE INDEX delivery_kept
            ON delivery(reporter_id, lane, event_seq, state, bytes, answer_bytes, since)
            WHERE state IN ('open', 'parked', 'dead');
        CREATE INDEX delivery_dead ON delivery(ended_at, told) WHERE state = 'dead';
        """
}
