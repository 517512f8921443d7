internal import FoundationEssentials
internal import GRDB
package import MasterKit

/// Read access to the builds of a base folder, whether a master is running or not.
///
/// A store of an older version is upgraded first, unless a master uses it.
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
        guard try StoreFolder(path: folder).hasStore() else { return try await body(nil) }
        let database: DatabaseQueue
        do {
            database = try await OwnThread.run { try open(path, in: folder) }
        } catch {
            throw StoreError(reading: error, at: path)
        }
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body(BuildHistory(database, folder: folder)))
        } catch {
            outcome = .failure(error)
        }
        do {
            try await OwnThread.run { try database.close() }
        } catch {
            throw StoreError(reading: error, at: path)
        }
        return try outcome.get()
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

    /// Returns the builders with a request that did not succeed, whether or not it had a build,
    /// unless a later one succeeded that ran the steps that had failed.
    package func buildersToRepeat() async throws(StoreError) -> Set<String> {
        try await read { database in
            let builders = try database.all("SELECT id, name FROM builder") {
                (id: $0[0] as Int, name: $0[1] as String)
            }
            return Set(
                try builders.filter { try Attempt.needsRepetition($0.id, in: database) }
                    .map(\.name))
        }
    }

    /// What a request of a builder came to.
    private struct Attempt {
        /// The number of requests of a builder that are looked at.
        private static let limit = 50

        let isSuccess: Bool
        /// The steps of its last build, in order.
        var steps: [(name: String, results: Results?)] = []

        /// Whether a builder has failed, and what failed has not succeeded since.
        static func needsRepetition(_ builder: Int, in database: Database) throws -> Bool {
            let requests = try database.all(
                """
                SELECT results, (SELECT max(id) FROM build WHERE request_id = build_request.id)
                FROM build_request WHERE builder_id = ? ORDER BY id DESC LIMIT ?
                """, [builder, limit]
            ) { (results: ($0[0] as Int?).flatMap(Results.init), build: $0[1] as Int?) }
            var successes: [Attempt] = []
            for request in requests {
                var attempt = Attempt(
                    isSuccess: request.results == .success || request.results == .warnings)
                attempt.steps = try database.all(
                    "SELECT name, results FROM step WHERE build_id = ? ORDER BY number",
                    [request.build]
                ) { ($0[0], ($0[1] as Int?).flatMap(Results.init)) }
                if attempt.isSuccess {
                    successes.append(attempt)
                } else if !successes.contains(where: { $0.makesUp(for: attempt) }) {
                    return true
                }
            }
            return false
        }

        /// Whether a success ran what had failed: a run of some of the steps may not have.
        private func makesUp(for other: Attempt) -> Bool {
            let run = Set(steps.filter { $0.results != .skipped }.map(\.name))
            let good: [Results?] = [.success, .warnings, .skipped]
            let failed = other.steps.filter { !good.contains($0.results) }
            if failed.allSatisfy({ run.contains($0.name) }) { return true }
            // Of all steps, none of which has the name of the one that failed any more.
            guard let first = other.steps.first else { return true }
            return steps.contains { $0.name == first.name } && steps.count >= other.steps.count
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

    /// Whether a master uses the folder, so that unfinished builds are running.
    package func hasMaster() async throws -> Bool {
        let folder = folder
        return try await OwnThread.run { try StoreLock.holder(in: folder) != nil }
    }

    /// Returns how long the last builds of a builder took, and their steps by name; those that
    /// failed are left out.
    package func usualTimes(of builder: String) async throws(StoreError) -> UsualTimes {
        try await read { database in
            let builds = try database.all(
                """
                SELECT id, complete_at - started_at, results FROM build
                WHERE builder_id = (SELECT id FROM builder WHERE name = ?)
                    AND complete_at IS NOT NULL ORDER BY number DESC LIMIT ?
                """, [builder, UsualTimes.buildCount]
            ) { (id: $0[0] as Int, seconds: $0[1] as Double, results: $0[2] as Int?) }
            let isGood: Set = [Results.success.rawValue, Results.warnings.rawValue]
            var times = UsualTimes()
            times.add(builds.filter { isGood.contains($0.results ?? -1) }.map(\.seconds))
            let steps = try database.all(
                """
                SELECT name, complete_at - started_at FROM step
                WHERE build_id IN (\(databaseQuestionMarks(count: builds.count)))
                    AND results IN (?, ?) AND started_at IS NOT NULL
                """, StatementArguments(builds.map(\.id)) + StatementArguments(isGood)
            ) { (name: $0[0] as String, seconds: $0[1] as Double) }
            for (name, group) in Dictionary(grouping: steps, by: \.name) {
                times.add(group.map(\.seconds), to: name)
            }
            return times
        }
    }

    /// Returns the current state of a log, or `nil` if it has been removed.
    package func log(_ id: Int) async throws(StoreError) -> Log? {
        try await read { try Log.find(id, in: $0) }
    }
}

/// How long the builds of a builder and their steps usually take.
package struct UsualTimes: Sendable, Hashable {
    /// The number of builds looked at.
    static let buildCount = 5

    /// The usual duration of a build, or `nil` if none has succeeded lately.
    package private(set) var build: Duration?
    /// The usual durations of steps by name.
    package private(set) var steps: [String: Duration] = [:]

    package init(build: Duration? = nil, steps: [String: Duration] = [:]) {
        self.build = build
        self.steps = steps
    }

    fileprivate mutating func add(_ seconds: [Double]) { build = Self.median(seconds) }

    fileprivate mutating func add(_ seconds: [Double], to step: String) {
        steps[step] = Self.median(seconds)
    }

    private static func median(_ seconds: [Double]) -> Duration? {
        seconds.isEmpty ? nil : .seconds(seconds.sorted()[seconds.count / 2])
    }
}

extension BuildHistory.Entry {
    fileprivate static func all(
        _ condition: String, _ arguments: StatementArguments, in database: Database
    ) throws -> [Self] {
        let builds = try database.all(
            "SELECT \(Build.columns) FROM build \(condition)", arguments
        ) { try Build(row: $0, in: database) }
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
