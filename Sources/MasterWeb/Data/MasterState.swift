internal import FoundationEssentials
internal import GRDB
internal import MasterKit
internal import MasterRuntime

/// What a master is at the time of a request: the records that are not in the store.
struct MasterState: Sendable {
    private let configuration: MasterConfiguration
    private let now = Date()

    init(_ master: Master) {
        configuration = master.current
    }

    /// The records of an endpoint that has no table, or `nil` if the path names one that does not
    /// exist.
    func rows(
        of endpoint: Endpoint, at place: Place, in database: Database
    ) throws -> [JSONObject]? {
        switch endpoint.resource.type {
        case "builder": return try builders(at: place, of: endpoint, in: database)
        case "master": return [master]
        case "worker": return try workers(at: place, in: database)
        default: return endpoint.isItem || !endpoint.pattern.isBare ? nil : []
        }
    }

    // MARK: Masters

    private var master: JSONObject {
        [
            "masterid": 1, "name": .string(configuration.identity.title), "active": true,
            "last_active": .time(now),
        ]
    }

    // MARK: Builders

    private func builders(
        at place: Place, of endpoint: Endpoint, in database: Database
    ) throws -> [JSONObject] {
        let condition = place.builder == nil ? "" : "WHERE id = ?"
        let rows = try Row.fetchAll(
            database.cachedStatement(
                sql: "SELECT id, name, description, tags FROM builder \(condition) ORDER BY id"),
            arguments: StatementArguments([place.builder].compactMap { $0 }))
        return rows.map { builder($0) }
    }

    private func builder(_ row: Row) -> JSONObject {
        let name: String = row[1]
        return [
            "builderid": .int(row[0] as Int), "name": .string(name),
            "masterids": configuration.builders[name] == nil ? [] : [1],
            "description": .optional(row[2] as String?), "description_format": .null,
            "description_html": .null, "projectid": .null, "tags": Field.json(row[3]),
        ]
    }

    // MARK: Workers

    private func workers(at place: Place, in database: Database) throws -> [JSONObject] {
        let condition = place.worker == nil ? "" : "WHERE id = ?"
        let rows = try Row.fetchAll(
            database.cachedStatement(
                sql: "SELECT id, name FROM worker \(condition) ORDER BY id"),
            arguments: StatementArguments([place.worker].compactMap { $0 }))
        let builders = try Row.fetchAll(
            database.cachedStatement(sql: "SELECT id, name FROM builder ORDER BY id")
        ).filter { configuration.builders[$0[1] as String] != nil }.map { $0[0] as Int }
        return rows.map { row in
            [
                "workerid": .int(row[0] as Int), "name": .string(row[1]),
                "connected_to": [["masterid": 1]],
                "configured_on": .array(
                    builders.map { ["builderid": .int($0), "masterid": 1] }),
                "workerinfo": [
                    "access_uri": .null, "admin": .null, "host": .null, "version": .null,
                ],
                "paused": false, "pause_reason": .null, "graceful": false,
            ]
        }
    }
}

extension String {
    /// Whether a path has no variable part.
    fileprivate var isBare: Bool { !contains(":") }
}
