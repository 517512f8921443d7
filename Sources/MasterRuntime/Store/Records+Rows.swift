internal import FoundationEssentials
internal import GRDB
internal import MasterKit

/// Statements are compiled once per connection and cached. Rows are read by position, in the order
/// of each record's `columns`.
extension Database {
    /// Executes a statement that returns no rows.
    func run(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    /// The number returned by a statement, or `nil` if it returns no row.
    func number(_ sql: String, _ arguments: StatementArguments) throws -> Int? {
        try Int.fetchOne(cachedStatement(sql: sql), arguments: arguments)
    }

    /// The numbers returned by a statement, one per row.
    func numbers(_ sql: String, _ arguments: StatementArguments) throws -> [Int] {
        try Int.fetchAll(cachedStatement(sql: sql), arguments: arguments)
    }

    /// Decodes the first row, or returns `nil` if there are no rows.
    func first<Value>(
        _ sql: String, _ arguments: StatementArguments = StatementArguments(),
        _ make: (Row) throws -> Value
    ) throws -> Value? {
        let rows = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        var value: Value?
        while let row = try rows.next() {
            if value == nil { value = try make(row) }
        }
        return value
    }

    /// Decodes all rows.
    func all<Value>(
        _ sql: String, _ arguments: StatementArguments = StatementArguments(),
        _ make: (Row) throws -> Value
    ) throws -> [Value] {
        let rows = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        var values: [Value] = []
        while let row = try rows.next() {
            values.append(try make(row))
        }
        return values
    }
}

extension Row {
    /// The date in a column that stores seconds since 1970.
    func date(_ column: Int) -> Date? {
        (self[column] as Double?).map { Date(timeIntervalSince1970: $0) }
    }
}

extension Date {
    /// The date as stored in a column.
    var stored: Double { timeIntervalSince1970 }
}

extension Builder {
    static let columns = "id, name, description, tags"

    init(row: Row) throws {
        let tags: String = row[3]
        self.init(
            id: row[0], name: row[1], description: row[2],
            tags: try JSONValue(stored: tags).arrayValue?.compactMap(\.stringValue) ?? [])
    }
}

extension SourceStamp {
    static let columns = "id, branch, revision, repository, project, codebase, created_at"

    init(row: Row) {
        self.init(
            id: row[0], branch: row[1], revision: row[2], repository: row[3], project: row[4],
            codebase: row[5], createdAt: Date(timeIntervalSince1970: row[6]))
    }
}

extension Buildset {
    static let columns = """
        id, reason, submitted_at, complete_at, results, parent_build_id, parent_relationship, \
        rebuilt_build_id
        """

    init(row: Row) {
        self.init(
            id: row[0], reason: row[1], submittedAt: Date(timeIntervalSince1970: row[2]),
            completeAt: row.date(3), results: Results(stored: row[4]), parentBuildID: row[5],
            parentRelationship: row[6], rebuiltBuildID: row[7])
    }
}

extension BuildRequest {
    static let columns = """
        id, buildset_id, builder_id, priority, submitted_at, claimed_at, complete_at, results, \
        waited_for
        """

    init(row: Row) {
        self.init(
            id: row[0], buildsetID: row[1], builderID: row[2], priority: row[3],
            submittedAt: Date(timeIntervalSince1970: row[4]), claimedAt: row.date(5),
            completeAt: row.date(6), results: Results(stored: row[7]), waitedFor: row[8])
    }
}

extension Build {
    static let columns = """
        id, number, builder_id, request_id, worker_id, started_at, complete_at, results, \
        state_string, properties, previous_build_id, locks_duration
        """
    static let previousColumn = 10

    /// Reads a build; the properties that have changed in one that is running are rows of their own.
    init(row: Row, in database: Database) throws {
        try self.init(row: row)
        guard completeAt == nil, try database.tableExists("build_property") else { return }
        let changed = try database.all(
            "SELECT name, value, source FROM build_property WHERE build_id = ? ORDER BY id", [id]
        ) { (name: $0[0] as String, value: $0[1] as String, source: $0[2] as String) }
        for (name, value, source) in changed {
            properties.set(name, try JSONValue(stored: value), source: source)
        }
    }

    private init(row: Row) throws {
        let properties: String = row[9]
        self.init(
            id: row[0], number: row[1], builderID: row[2], requestID: row[3], workerID: row[4],
            startedAt: Date(timeIntervalSince1970: row[5]), completeAt: row.date(6),
            results: Results(stored: row[7]), stateString: row[8],
            properties: try Properties(stored: properties),
            locksDuration: .seconds(row[11] as Double))
    }
}

extension StepRecord {
    static let columns = """
        id, number, build_id, name, started_at, complete_at, results, state_string, hidden, \
        locks_acquired_at, urls
        """

    init(row: Row) throws {
        let urls: String? = row[10]
        self.init(
            id: row[0], number: row[1], buildID: row[2], name: row[3], startedAt: row.date(4),
            completeAt: row.date(5), results: Results(stored: row[6]), stateString: row[7],
            isHidden: row[8], locksAcquiredAt: row.date(9),
            urls: try urls.map { try [StepURL](stored: $0) } ?? [])
    }
}

extension [StepURL] {
    init(stored text: String) throws {
        self =
            try JSONValue(stored: text).arrayValue?.compactMap { link in
                guard let name = link["name"]?.stringValue, let url = link["url"]?.stringValue
                else { return nil }
                return StepURL(name: name, url: url)
            } ?? []
    }

    var stored: String { JSONWriter.compact.string(.array(map { .object($0.json) })) }
}

extension Log {
    static let columns = "id, step_id, name, slug, kind, complete, line_count"

    init(row: Row) {
        self.init(
            id: row[0], stepID: row[1], name: row[2], slug: row[3],
            kind: LogKind(rawValue: row[4]) ?? .text, isComplete: row[5], lineCount: row[6])
    }
}

extension Results {
    init?(stored code: Int?) {
        guard let code else { return nil }
        self.init(rawValue: code)
    }
}

extension Properties {
    init(stored text: String) throws {
        self.init(json: try JSONValue(stored: text).objectValue ?? JSONObject())
    }

    var stored: String {
        JSONWriter.compact.string(.object(json))
    }
}

extension JSONValue {
    /// Parses JSON written by the store, whatever its size; only the depth is limited, to protect
    /// the stack.
    init(stored text: String) throws(JSONParserError) {
        let parser = JSONParser(maximumDepth: 2048, maximumByteCount: .max, maximumValueCount: .max)
        self = try parser.parse(text)
    }
}

extension Event {
    private static let columns = "seq, at, kind, lane, build_id, prev_build_id, snapshot"

    private init?(row: Row) throws {
        guard let kind = EventKind(rawValue: row[2]) else { return nil }
        let snapshot: String = row[6]
        self.init(
            sequence: row[0], at: Date(timeIntervalSince1970: row[1]), kind: kind, lane: row[3],
            buildID: row[4], previousBuildID: row[5],
            record: try JSONValue(stored: snapshot).objectValue ?? JSONObject())
    }

    /// Inserts the event and sets its sequence number.
    mutating func insert(in database: Database) throws {
        try database.run(
            """
            INSERT INTO event (at, kind, lane, build_id, prev_build_id, snapshot)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                at.stored, kind.rawValue, lane, buildID, previousBuildID,
                JSONWriter.compact.string(.object(record)),
            ]
        )
        sequence = Int(database.lastInsertedRowID)
    }

    /// The stored events after a sequence number, oldest first.
    static func stored(after sequence: Int, limit: Int, in database: Database) throws -> [Event] {
        try database.all(
            "SELECT \(columns) FROM event WHERE seq > ? ORDER BY seq LIMIT ?", [sequence, limit],
            Event.init(row:)
        ).compactMap { $0 }
    }

    /// The first stored event of the given kinds in a range of sequence numbers.
    static func first(
        of kinds: Set<EventKind>, after sequence: Int, upTo last: Int,
        in database: Database
    ) throws -> Event? {
        let words = kinds.map(\.rawValue).sorted()
        let marks = databaseQuestionMarks(count: words.count)
        return try database.first(
            """
            SELECT \(columns) FROM event
            WHERE seq > ? AND seq <= ? AND kind IN (\(marks)) ORDER BY seq LIMIT 1
            """,
            [sequence, last] + StatementArguments(words),
            Event.init(row:)
        ) ?? nil
    }

    /// The stored event with a sequence number.
    static func stored(at sequence: Int, in database: Database) throws -> Event? {
        try database.first(
            "SELECT \(columns) FROM event WHERE seq = ?", [sequence], Event.init(row:)) ?? nil
    }

    /// The sequence number of the newest event ever stored, or 0 if there has been none.
    static func newestSequence(in database: Database) throws -> Int {
        try database.first("SELECT seq FROM sqlite_sequence WHERE name = 'event'") { $0[0] } ?? 0
    }
}
