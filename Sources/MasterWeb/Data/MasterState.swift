internal import FoundationEssentials
internal import GRDB
internal import MasterKit
internal import MasterRuntime

/// What a master is at the time of a request: the records that are not in the store.
struct MasterState: Sendable {
    let configuration: MasterConfiguration
    private let running: Master
    private let now = Date()

    init(_ master: Master) {
        configuration = master.current
        running = master
    }

    /// The number of lines of a log that is being written, or `nil` if it has ended.
    func lineCount(ofLog id: Int) -> Int? { running.lineCount(ofLog: id) }

    /// The records of an endpoint that has no table, or `nil` if the path names one that does not
    /// exist.
    func rows(
        of endpoint: Endpoint, at place: Place, in database: Database
    ) throws -> [JSONObject]? {
        switch endpoint.resource.type {
        case "builder":
            let builders = try builders(at: place, in: database)
            // A worker, like the master, has those of the file alone.
            let isOfMaster = place.worker != nil || place.number("masterid") != nil
            return isOfMaster ? builders.filter { $0["masterids"] != [] } : builders
        case "master": return [master]
        case "worker": return try workers(at: place, in: database)
        case "scheduler": return try schedulers(at: place, in: database)
        case "forcescheduler": return try forceSchedulers(at: place, in: database)
        case "changesource": return try changeSources(at: place, in: database)
        default: return endpoint.isItem || place.isPartOfNothing ? nil : []
        }
    }

    // MARK: Masters

    private var master: JSONObject { configuration.identity.master(at: now) }

    // MARK: Builders

    private func builders(at place: Place, in database: Database) throws -> [JSONObject] {
        try rows(
            "SELECT id, name, description, tags FROM builder", place.builder, in: database,
            builder)
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

    // MARK: Schedulers and change sources

    private func schedulers(at place: Place, in database: Database) throws -> [JSONObject] {
        try rows(
            "SELECT id, name, enabled FROM scheduler", place.number("schedulerid"), in: database
        ) { row in
            let name: String = row[1]
            let isDeclared = configuration.schedulers.contains { $0.name == name }
            return [
                "schedulerid": .int(row[0] as Int), "name": .string(name),
                "enabled": .bool(row[2]), "master": isDeclared ? .object(master) : .null,
            ]
        }
    }

    private func changeSources(at place: Place, in database: Database) throws -> [JSONObject] {
        try rows(
            "SELECT id, name FROM change_source", place.number("changesourceid"), in: database
        ) { row in
            let name: String = row[1]
            let isDeclared = configuration.changeSources.contains { $0.name == name }
            return [
                "changesourceid": .int(row[0] as Int), "name": .string(name),
                "master": isDeclared ? .object(master) : .null,
            ]
        }
    }

    /// Those with which people force builds, of one name or for one builder.
    private func forceSchedulers(at place: Place, in database: Database) throws -> [JSONObject] {
        let disabled = Set(
            try String.fetchAll(database, sql: "SELECT name FROM scheduler WHERE NOT enabled"))
        let builder = try place.builder.map { id in
            try String.fetchOne(
                database.cachedStatement(sql: "SELECT name FROM builder WHERE id = ?"),
                arguments: [id])
        }
        return configuration.schedulers.compactMap { scheduler in
            guard let form = configuration.form(of: scheduler),
                place.string("schedulername").map({ $0 == scheduler.name }) ?? true,
                builder.map({ form.builders.contains($0 ?? "") }) ?? true
            else { return nil }
            let isEnabled = !disabled.contains(scheduler.name)
            return builder == nil || isEnabled ? form.record(isEnabled: isEnabled) : nil
        }
    }

    /// The rows of a small table, or the one with an id.
    private func rows(
        _ query: String, _ id: Int?, in database: Database, _ record: (Row) throws -> JSONObject
    ) throws -> [JSONObject] {
        try Row.fetchAll(
            database.cachedStatement(
                sql: query + (id == nil ? "" : " WHERE id = ?") + " ORDER BY id"),
            arguments: id.map { [$0] } ?? []
        ).map(record)
    }

    // MARK: Workers

    private func workers(at place: Place, in database: Database) throws -> [JSONObject] {
        let builders = try Row.fetchAll(
            database.cachedStatement(sql: "SELECT id, name FROM builder ORDER BY id")
        ).map { (id: $0[0] as Int, configuration: configuration.builders[$0[1] as String]) }
        let states = running.workers
        return try rows("SELECT id, name FROM worker", place.worker, in: database) { row in
            let name: String = row[1]
            guard let state = states.first(where: { $0.name == name }) else {
                return [
                    "workerid": .int(row[0] as Int), "name": .string(name), "connected_to": [],
                    "configured_on": [], "workerinfo": [:], "paused": false, "pause_reason": .null,
                    "graceful": false,
                ]
            }
            return state.record(of: builders.filter { state.canRun($0.configuration) }.map(\.id))
        }
    }
}
