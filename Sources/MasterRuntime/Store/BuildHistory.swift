internal import FoundationEssentials
internal import GRDB
package import MasterKit

/// Read access to the builds of a base folder, whether a master is running or not.
///
/// The store is not modified, so an older version is read as it is.
package final class BuildHistory: Sendable {
    /// A build with the name of its builder.
    package struct Entry: Sendable, Hashable {
        package let builder: String
        package let build: Build
    }

    /// A log of a step with the location of its content.
    package struct StepLog: Sendable, Hashable {
        package let log: Log
        /// The absolute path of its content.
        package let path: String
    }

    private let database: DatabaseQueue
    private let folder: String

    private init(_ database: DatabaseQueue, folder: String) {
        self.database = database
        self.folder = folder
    }

    /// Runs a closure with the history of a folder; nothing is created if it does not exist.
    ///
    /// - Parameters:
    ///   - folder: The base folder of a master.
    ///   - body: The closure, which gets `nil` if no master has ever used the folder.
    /// - Returns: The result of `body`.
    /// - Throws: ``StoreError``, or any error thrown by `body`.
    package static func with<Value>(
        folder: String, _ body: (BuildHistory?) async throws -> Value
    ) async throws -> Value {
        let path = folder + "/" + StoreOpening.fileName
        guard FileManager.default.fileExists(atPath: path) else { return try await body(nil) }
        let database: DatabaseQueue
        do {
            database = try await OwnThread.run { try open(path, in: folder) }
        } catch {
            throw StoreError(reading: error, at: path)
        }
        return try await body(BuildHistory(database, folder: folder))
    }

    static func open(_ path: String, in folder: String) throws -> DatabaseQueue {
        try StoreOpening.existing(path, in: StoreFolder(path: folder), label: "builds")
    }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        let database = database
        do {
            return try await OwnThread.run { try database.read(body) }
        } catch {
            throw StoreError(reading: error, at: database.path)
        }
    }

    // MARK: Questions

    /// Returns the names of all builders with builds, in the order of their first builds.
    package func builders() async throws(StoreError) -> [String] {
        try await read { database in
            try database.all(
                """
                SELECT name FROM builder WHERE EXISTS
                    (SELECT 1 FROM build WHERE builder_id = builder.id) ORDER BY id
                """
            ) { $0[0] }
        }
    }

    /// Returns the latest builds, newest first.
    ///
    /// - Parameters:
    ///   - builders: The builders, or `nil` for all.
    ///   - limit: The maximum number of builds.
    /// - Returns: The builds, including running ones.
    /// - Throws: ``StoreError``.
    package func newest(
        of builders: [String]? = nil, limit: Int
    ) async throws(StoreError) -> [Entry] {
        try await read { database in
            let filter =
                builders.map { names in
                    let marks = databaseQuestionMarks(count: names.count)
                    return "WHERE builder_id IN (SELECT id FROM builder WHERE name IN (\(marks)))"
                } ?? ""
            return try Entry.all(
                "\(filter) ORDER BY id DESC LIMIT ?",
                StatementArguments(builders ?? []) + [limit], in: database)
        }
    }

    /// Returns the builders whose last request did not succeed, whether or not it had a build.
    package func buildersToRepeat() async throws(StoreError) -> Set<String> {
        try await read { database in
            try String.fetchSet(
                database,
                sql: """
                    SELECT name FROM builder JOIN build_request ON builder_id = builder.id
                    WHERE build_request.id IN
                            (SELECT max(id) FROM build_request GROUP BY builder_id)
                        AND (results IS NULL OR results NOT IN (?, ?))
                    """,
                arguments: [Results.success.rawValue, Results.warnings.rawValue])
        }
    }

    /// Returns the builds of the newest buildset that has any, oldest first.
    package func lastBuildset() async throws(StoreError) -> [Entry] {
        try await read { database in
            try Entry.all(
                """
                WHERE request_id IN (SELECT id FROM build_request WHERE buildset_id = (
                    SELECT buildset_id FROM build JOIN build_request ON build_request.id = request_id
                    ORDER BY build.id DESC LIMIT 1)) ORDER BY id
                """, [], in: database)
        }
    }

    /// Returns a build by its builder and number; without a number, the builder's last one.
    package func build(
        _ number: Int? = nil, of builder: String
    ) async throws(StoreError) -> Entry? {
        try await read { database in
            try Entry.all(
                """
                WHERE builder_id = (SELECT id FROM builder WHERE name = ?)
                    AND (number = ? OR ? IS NULL) ORDER BY number DESC LIMIT 1
                """, [builder, number, number], in: database
            ).first
        }
    }

    /// Returns the steps of a build, in order.
    package func steps(of build: Build) async throws(StoreError) -> [StepRecord] {
        try await read { try StepRecord.all(ofBuild: build.id, in: $0) }
    }

    /// Returns the logs of a step, in the order they were opened.
    package func logs(of step: StepRecord) async throws(StoreError) -> [StepLog] {
        let folder = folder
        return try await read { database in
            try Log.all(ofStep: step.id, in: database).compactMap { log in
                guard let path = try Log.path(log.id, in: database) else { return nil }
                return StepLog(log: log, path: "\(folder)/\(path)")
            }
        }
    }

    /// Returns the current state of a log, or `nil` if it has been removed.
    package func log(_ id: Int) async throws(StoreError) -> Log? {
        try await read { try Log.find(id, in: $0) }
    }
}

extension BuildHistory.Entry {
    fileprivate static func all(
        _ condition: String, _ arguments: StatementArguments, in database: Database
    ) throws -> [Self] {
        let builds = try database.all(
            "SELECT \(Build.columns) FROM build \(condition)", arguments, Build.init(row:))
        var names: [Int: String] = [:]
        return try builds.map { build in
            let id = build.builderID
            names[id] = try names[id] ?? Builder.find(id, in: database)?.name
            return Self(builder: names[id] ?? "?", build: build)
        }
    }
}

/// Reading the content of a log, possibly while a master is writing it.
extension BuildHistory.StepLog {
    /// Returns the offset in the file where the last lines start.
    package func offset(ofLast count: Int) async throws -> Int {
        try await OwnThread.run { [path] in try LogFile(path: path).offset(ofLast: count) }
    }

    /// Reads whole lines from an offset, about 64 KiB; empty at the end.
    package func lines(from offset: Int) async throws -> [UInt8] {
        try await OwnThread.run { [path] in try LogFile.lines(in: path, from: offset) }
    }
}

extension Build {
    static func find(_ id: Int, in database: Database) throws -> Build? {
        try database.first("SELECT \(columns) FROM build WHERE id = ?", [id], Build.init(row:))
    }

    /// The builds of a request, first attempt first.
    static func all(ofRequest id: Int, in database: Database) throws -> [Build] {
        try database.all(
            "SELECT \(columns) FROM build WHERE request_id = ? ORDER BY id", [id], Build.init(row:))
    }

    /// The unfinished builds, oldest first.
    static func unfinished(in database: Database) throws -> [Build] {
        try database.all(
            "SELECT \(columns) FROM build WHERE complete_at IS NULL ORDER BY id", [],
            Build.init(row:))
    }
}

extension RunningBuild {
    static func find(_ id: Int, in database: Database) throws -> RunningBuild? {
        try database.first("SELECT \(Build.columns) FROM build WHERE id = ?", [id]) { row in
            try RunningBuild(row: row)
        }
    }

    /// The last build of each of a buildset's requests that has one, in request order.
    static func last(ofBuildset id: Int, in database: Database) throws -> [RunningBuild] {
        try database.all(
            """
            SELECT \(Build.columns) FROM build WHERE id IN (
                SELECT max(build.id) FROM build_request JOIN build ON request_id = build_request.id
                WHERE buildset_id = ? GROUP BY request_id
            ) ORDER BY request_id
            """,
            [id],
            RunningBuild.init(row:)
        )
    }

    private init(row: Row) throws {
        self.init(build: try Build(row: row), previousBuildID: row[Build.previousColumn])
    }
}

extension BuildRequest {
    static func find(_ id: Int, in database: Database) throws -> BuildRequest? {
        try database.first(
            "SELECT \(columns) FROM build_request WHERE id = ?", [id], BuildRequest.init(row:))
    }

    /// The requests that no build has been started for.
    ///
    /// - Parameters:
    ///   - needs: The builders whose builds must end well before those of a builder begin.
    ///   - database: Where they are.
    /// - Returns: The requests; what they need of their buildset has perhaps ended.
    /// - Throws: What the database says.
    static func pending(
        needs: (String) -> [String] = { _ in [] }, in database: Database
    ) throws -> [RequestDistributor.Pending] {
        let rows = try database.all(
            """
            SELECT build_request.id, builder.name, priority, buildset_id FROM build_request
            JOIN builder ON builder.id = builder_id
            WHERE claimed_at IS NULL AND complete_at IS NULL
            """
        ) {
            (
                request: RequestDistributor.Pending(id: $0[0], builder: $0[1], priority: $0[2]),
                buildset: $0[3] as Int
            )
        }
        return try rows.map { request, buildset in
            let names = needs(request.builder)
            guard !names.isEmpty else { return request }
            var request = request
            try request.find(needs: names, ofBuildset: buildset, in: database)
            return request
        }
    }
}

extension RequestDistributor.Pending {
    /// Takes what the request needs from its buildset, of which some has perhaps ended.
    fileprivate mutating func find(
        needs names: [String], ofBuildset buildset: Int, in database: Database
    ) throws {
        let others = try database.all(
            """
            SELECT build_request.id, builder.name, results FROM build_request
            JOIN builder ON builder.id = builder_id WHERE buildset_id = ? ORDER BY build_request.id
            """, [buildset]
        ) { (id: $0[0] as Int, builder: $0[1] as String, results: Results(stored: $0[2])) }
        for other in others where names.contains(other.builder) {
            if let results = other.results {
                skipReason =
                    skipReason ?? RequestDistributor.skipReason(of: other.builder, results)
            } else {
                needs.insert(other.id)
            }
        }
    }
}

extension Buildset {
    /// The buildset with an id, including its source stamps.
    static func find(_ id: Int, in database: Database) throws -> Buildset? {
        let found = try database.first(
            "SELECT \(columns) FROM buildset WHERE id = ?", [id], Buildset.init(row:))
        guard var buildset = found else { return nil }
        buildset.sourceStamps = try SourceStamp.all(ofBuildset: id, in: database)
        return buildset
    }

    /// The initial properties of a buildset's builds.
    static func properties(_ id: Int, in database: Database) throws -> Properties {
        try database.first("SELECT properties FROM buildset WHERE id = ?", [id]) { row in
            try Properties(stored: row[0])
        } ?? Properties()
    }
}

extension SourceStamp {
    /// The source stamps of a buildset, in the order they were submitted.
    static func all(ofBuildset id: Int, in database: Database) throws -> [SourceStamp] {
        try database.all(
            "SELECT \(columns) FROM source_stamp WHERE buildset_id = ? ORDER BY id", [id],
            SourceStamp.init(row:))
    }
}

extension Builder {
    static func find(_ id: Int, in database: Database) throws -> Builder? {
        try database.first("SELECT \(columns) FROM builder WHERE id = ?", [id], Builder.init(row:))
    }
}

extension StepRecord {
    static func find(_ id: Int, in database: Database) throws -> StepRecord? {
        try database.first("SELECT \(columns) FROM step WHERE id = ?", [id], StepRecord.init(row:))
    }

    /// The step with a name in a build; names are unique within a build.
    static func find(_ name: String, ofBuild id: Int, in database: Database) throws -> StepRecord? {
        try database.first(
            "SELECT \(columns) FROM step WHERE build_id = ? AND name = ?", [id, name],
            StepRecord.init(row:))
    }

    /// The steps of a build, in order.
    static func all(ofBuild id: Int, in database: Database) throws -> [StepRecord] {
        try database.all(
            "SELECT \(columns) FROM step WHERE build_id = ? ORDER BY number", [id],
            StepRecord.init(row:))
    }
}

extension Log {
    static func find(_ id: Int, in database: Database) throws -> Log? {
        try database.first("SELECT \(columns) FROM log WHERE id = ?", [id], Log.init(row:))
    }

    /// The logs of a step, in the order they were opened.
    static func all(ofStep id: Int, in database: Database) throws -> [Log] {
        try database.all(
            "SELECT \(columns) FROM log WHERE step_id = ? ORDER BY id", [id], Log.init(row:))
    }

    /// The path of a log's content file, relative to the base folder.
    static func path(_ id: Int, in database: Database) throws -> String? {
        try database.first("SELECT path FROM log WHERE id = ?", [id]) { $0[0] }
    }
}
