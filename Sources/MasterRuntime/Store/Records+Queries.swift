internal import GRDB
internal import MasterKit

extension Build {
    static func find(_ id: Int, in database: Database) throws -> Build? {
        try database.first("SELECT \(columns) FROM build WHERE id = ?", [id]) {
            try Build(row: $0, in: database)
        }
    }

    /// The builds of a request, first attempt first.
    static func all(ofRequest id: Int, in database: Database) throws -> [Build] {
        try database.all(
            "SELECT \(columns) FROM build WHERE request_id = ? ORDER BY id", [id]
        ) { try Build(row: $0, in: database) }
    }

    /// The builders of a build and of those that triggered it, outermost first.
    static func triggerChain(endingIn id: Int, in database: Database) throws -> [String] {
        var (chain, next) = ([String](), Int?.some(id))
        while let id = next {
            let found = try database.first(
                """
                SELECT builder.name, parent_build_id FROM build
                JOIN builder ON builder.id = build.builder_id
                JOIN build_request ON build_request.id = build.request_id
                JOIN buildset ON buildset.id = build_request.buildset_id WHERE build.id = ?
                """, [id]
            ) { (builder: $0[0] as String, parent: $0[1] as Int?) }
            if let found { chain.insert(found.builder, at: 0) }
            // A parent is always older, so that this ends.
            next = found?.parent.flatMap { $0 < id ? $0 : nil }
        }
        return chain
    }

    /// The unfinished builds, oldest first.
    static func unfinished(in database: Database) throws -> [Build] {
        try database.all(
            "SELECT \(columns) FROM build WHERE complete_at IS NULL ORDER BY id"
        ) { try Build(row: $0, in: database) }
    }
}

extension RunningBuild {
    static func find(_ id: Int, in database: Database) throws -> RunningBuild? {
        try database.first("SELECT \(Build.columns) FROM build WHERE id = ?", [id]) { row in
            try RunningBuild(row: row, in: database)
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
            [id]
        ) { try RunningBuild(row: $0, in: database) }
    }

    private init(row: Row, in database: Database) throws {
        self.init(
            build: try Build(row: row, in: database), previousBuildID: row[Build.previousColumn])
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
    /// - Throws: A database error.
    static func pending(
        needs: (String) -> [String] = { _ in [] }, in database: Database
    ) throws -> [RequestDistributor.Pending] {
        let rows = try database.all(
            """
            SELECT build_request.id, builder.name, priority, buildset_id, properties
            FROM build_request
            JOIN builder ON builder.id = builder_id JOIN buildset ON buildset.id = buildset_id
            WHERE claimed_at IS NULL AND build_request.complete_at IS NULL
            """
        ) {
            (
                request: RequestDistributor.Pending(
                    id: $0[0], builder: $0[1], priority: $0[2],
                    worker: ForceForm.worker(chosenIn: try Properties(stored: $0[4]))),
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
