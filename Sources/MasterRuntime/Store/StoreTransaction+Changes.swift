internal import FoundationEssentials
internal import GRDB
internal import MasterKit

extension StoreTransaction {
    /// Stores a change with its source stamp. Event: change new.
    ///
    /// - Returns: The change with its id and that of the previous change of its branch.
    func add(_ wanted: Masked<Change>) throws -> Change {
        var change = wanted.value
        let stamp = change.sourceStamp
        // The last one in the index, so that not all changes of the branch are read.
        let parent = try database.number(
            """
            SELECT change.id
            FROM source_stamp CROSS JOIN change ON source_stamp_id = source_stamp.id
            WHERE buildset_id IS NULL AND repository = ? AND branch IS ? AND project = ?
                AND codebase = ? ORDER BY source_stamp.id DESC LIMIT 1
            """, [stamp.repository, stamp.branch, stamp.project, stamp.codebase])
        change.parentIDs = parent.map { [$0] } ?? []
        change.sourceStamp.createdAt = now
        try insert(&change.sourceStamp, buildsetID: nil)
        try database.run(
            """
            INSERT INTO change (source_stamp_id, parent_id, author, committer, comments, files,
                revlink, category, when_timestamp, properties)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                change.sourceStamp.id, parent, change.author, change.committer, change.comments,
                JSONWriter.compact.string(.array(change.files.map { .string($0) })),
                change.revlink, change.category, change.when.stored,
                JSONWriter.compact.string(.object(change.properties)),
            ])
        change.id = Int(database.lastInsertedRowID)
        try append(.changeNew, lane: 0) { change.json }
        return change
    }

    /// Stores that a buildset is made of changes, as far as they are still stored.
    func link(_ changes: [Change], toBuildset id: Int) throws {
        for change in changes {
            try database.run(
                """
                INSERT OR IGNORE INTO buildset_change (buildset_id, change_id)
                SELECT ?, id FROM change WHERE id = ?
                """, [id, change.id])
        }
    }
}

extension Change {
    private static let selection = """
        SELECT change.id, parent_id, author, committer, comments, files, revlink, category,
            when_timestamp, properties, source_stamp.id, branch, revision, repository, project,
            codebase, created_at
        FROM change JOIN source_stamp ON source_stamp.id = source_stamp_id
        """

    init(row: Row) throws {
        let (files, properties): (String, String) = (row[5], row[9])
        self.init(
            author: row[2], committer: row[3], comments: row[4],
            files: try JSONValue(stored: files).arrayValue?.compactMap(\.stringValue) ?? [],
            sourceStamp: SourceStamp(
                id: row[10], branch: row[11], revision: row[12], repository: row[13],
                project: row[14], codebase: row[15],
                createdAt: Date(timeIntervalSince1970: row[16])),
            revlink: row[6], category: row[7],
            properties: try JSONValue(stored: properties).objectValue ?? JSONObject(),
            when: Date(timeIntervalSince1970: row[8]))
        id = row[0]
        parentIDs = (row[1] as Int?).map { [$0] } ?? []
    }

    /// The change with an id.
    static func find(_ id: Int, in database: Database) throws -> Change? {
        try database.first("\(selection) WHERE change.id = ?", [id], Change.init(row:))
    }

    /// The newest changes, newest first.
    static func newest(_ count: Int, in database: Database) throws -> [Change] {
        try database.all(
            "\(selection) ORDER BY change.id DESC LIMIT ?", [count], Change.init(row:))
    }

    /// The oldest changes after an id, oldest first.
    static func all(after id: Int, limit: Int, in database: Database) throws -> [Change] {
        try database.all(
            "\(selection) WHERE change.id > ? ORDER BY change.id LIMIT ?", [id, limit],
            Change.init(row:))
    }

    /// The changes of a build, oldest first: those that its buildset is made of, and those of the
    /// requests that it was built in place of.
    static func all(ofBuild id: Int, in database: Database) throws -> [Change] {
        try all(changesOfBuild, id, in: database)
    }

    /// The changes of a buildset, oldest first, with those of the requests that its own are built
    /// in place of.
    static func all(ofBuildset id: Int, in database: Database) throws -> [Change] {
        try all(changesOfBuildset, id, in: database)
    }

    /// The ids of these changes.
    static func ids(ofBuildset id: Int, in database: Database) throws -> [Int] {
        try Set(database.numbers(changesOfBuildset, [id])).sorted()
    }

    private static func all(_ ids: String, _ id: Int, in database: Database) throws -> [Change] {
        try database.all(
            "\(selection) WHERE change.id IN (\(ids)) ORDER BY change.id", [id],
            Change.init(row:))
    }

    /// Selects the ids of the changes of a build, given its id.
    package static let changesOfBuild = changes(
        ofRequests: "SELECT request_id FROM build WHERE id = ?")

    private static let changesOfBuildset = changes(
        ofRequests: "SELECT id FROM build_request WHERE buildset_id = ?")

    /// Selects the ids of the changes of some requests, and of those that they are built in place
    /// of.
    private static func changes(ofRequests requests: String) -> String {
        """
        WITH RECURSIVE made (request) AS (
            \(requests)
            UNION SELECT build_request.id FROM build_request JOIN made
                ON collapsed_into = made.request)
        SELECT change_id FROM made JOIN build_request ON build_request.id = made.request
        JOIN buildset_change USING (buildset_id)
        """
    }

    /// Selects the ids of the builds of a change, given its id.
    package static let buildsOfChange = """
        WITH RECURSIVE built (request) AS (
            SELECT build_request.id FROM buildset_change JOIN build_request USING (buildset_id)
                WHERE change_id = ?
            UNION SELECT collapsed_into FROM build_request JOIN built
                ON build_request.id = built.request WHERE collapsed_into IS NOT NULL)
        SELECT build.id FROM built JOIN build ON build.request_id = built.request
        """
}
