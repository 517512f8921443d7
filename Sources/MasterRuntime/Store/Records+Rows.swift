internal import FoundationEssentials
internal import GRDB
internal import MasterKit

extension Builder {
    static let columns = "id, name, description, tags"

    init(row: Row) throws {
        let tags: String = row[3]
        self.init(
            id: row[0],
            name: row[1],
            description: row[2],
            tags: try JSONValue(stored: tags).arrayValue?.compactMap(\.stringValue) ?? []
        )
    }
}

extension SourceStamp {
    static let columns = "id, branch, revision, repository, project, codebase, created_at"

    init(row: Row) {
        self.init(
            id: row[0],
            branch: row[1],
            revision: row[2],
            repository: row[3],
            project: row[4],
            codebase: row[5],
            createdAt: Date(timeIntervalSince1970: row[6])
        )
    }
}

extension Buildset {
    static let columns = """
        id, reason, submitted_at, complete_at, results, parent_build_id, parent_relationship, \
        rebuilt_build_id
        """

    init(row: Row) {
        self.init(
            id: row[0],
            reason: row[1],
            submittedAt: Date(timeIntervalSince1970: row[2]),
            completeAt: row.date(3),
            results: Results(stored: row[4]),
            parentBuildID: row[5],
            parentRelationship: row[6],
            rebuiltBuildID: row[7]
        )
    }
}

extension BuildRequest {
    static let columns = """
        id, buildset_id, builder_id, priority, submitted_at, claimed_at, complete_at, results, \
        waited_for
        """

    init(row: Row) {
        self.init(
            id: row[0],
            buildsetID: row[1],
            builderID: row[2],
            priority: row[3],
            submittedAt: Date(timeIntervalSince1970: row[4]),
            claimedAt: row.date(5),
            completeAt: row.date(6),
            results: Results(stored: row[7]),
            waitedFor: row[8]
        )
    }
}

extension Build {
    static let columns = """
        id, number, builder_id, request_id, worker_id, started_at, complete_at, results, \
        state_string, properties, previous_build_id
        """
    static let previousColumn = 10

    init(row: Row) throws {
        let properties: String = row[9]
        self.init(
            id: row[0],
            number: row[1],
            builderID: row[2],
            requestID: row[3],
            workerID: row[4],
            startedAt: Date(timeIntervalSince1970: row[5]),
            completeAt: row.date(6),
            results: Results(stored: row[7]),
            stateString: row[8],
            properties: try Properties(stored: properties)
        )
    }
}

extension StepRecord {
    static let columns = """
        id, number, build_id, name, started_at, complete_at, results, state_string, hidden
        """

    init(row: Row) {
        self.init(
            id: row[0],
            number: row[1],
            buildID: row[2],
            name: row[3],
            startedAt: row.date(4),
            completeAt: row.date(5),
            results: Results(stored: row[6]),
            stateString: row[7],
            isHidden: row[8]
        )
    }
}

extension Log {
    static let columns = "id, step_id, name, slug, kind, complete, line_count"

    init(row: Row) {
        self.init(
            id: row[0],
            stepID: row[1],
            name: row[2],
            slug: row[3],
            kind: Kind(rawValue: row[4]) ?? .text,
            isComplete: row[5],
            lineCount: row[6]
        )
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
    /// Reads what was written here, however large; only a limit on the depth guards the stack.
    init(stored text: String) throws(JSONParserError) {
        let parser = JSONParser(
            maximumDepth: 2048,
            maximumByteCount: .max,
            maximumValueCount: .max
        )
        self = try parser.parse(text)
    }
}
