internal import GRDB
internal import MasterKit

/// The records of the store that the variable parts of a path name.
struct Place {
    private(set) var builder: Int?
    private(set) var build: Int?
    private(set) var step: Int?
    private(set) var log: Int?
    private(set) var request: Int?
    private(set) var buildset: Int?
    private(set) var sourceStamp: Int?
    private(set) var worker: Int?
    private(set) var change: Int?
    private let arguments: Endpoint.Arguments

    /// Finds the records; `nil` if one of them does not exist, or is not a part of the one before.
    init?(_ arguments: Endpoint.Arguments, in database: Database) throws {
        self.arguments = arguments
        guard try findMaster(), try findBuild(in: database), try findStep(in: database),
            try find(&request, "buildrequestid", "build_request", in: database),
            try find(&buildset, "bsid", "buildset", in: database),
            try find(&buildset, "buildsetid", "buildset", in: database),
            try find(&sourceStamp, "ssid", "source_stamp", in: database),
            try find(&worker, "workerid", "worker", in: database),
            try find(&change, "changeid", "change", in: database)
        else { return nil }
        if let name = string("name"), arguments["buildid"] == nil, number("build_number") == nil {
            worker = try first("SELECT id FROM worker WHERE name = ?", [name], in: database)
            if worker == nil { return nil }
        }
    }

    /// A number in the path.
    func number(_ name: String) -> Int? {
        guard case .int(let number) = arguments[name] else { return nil }
        return number
    }

    /// A text in the path.
    func string(_ name: String) -> String? {
        guard case .string(let text) = arguments[name] else { return nil }
        return text
    }

    /// Whether the path names a record of a kind that this master has none of.
    var isPartOfNothing: Bool {
        let known: Set = [
            "bsid", "build_number", "builderid", "buildername", "buildid", "buildrequestid",
            "buildsetid", "changeid", "changesourceid", "log_slug", "logid", "masterid", "name",
            "schedulerid", "schedulername", "ssid", "step_name", "step_number", "stepid",
            "workerid",
        ]
        return !known.isSuperset(of: arguments.keys)
    }

    /// There is one master.
    private func findMaster() throws -> Bool { number("masterid").map { $0 == 1 } ?? true }

    private mutating func findBuild(in database: Database) throws -> Bool {
        guard try find(&builder, "builderid", "builder", in: database) else { return false }
        if let name = string("buildername") {
            builder = try first("SELECT id FROM builder WHERE name = ?", [name], in: database)
            guard builder != nil else { return false }
        }
        if let number = number("build_number") {
            build = try first(
                "SELECT id FROM build WHERE builder_id = ? AND number = ?", [builder, number],
                in: database)
            guard build != nil else { return false }
        }
        return try find(&build, "buildid", "build", in: database)
    }

    private mutating func findStep(in database: Database) throws -> Bool {
        if let number = number("step_number") {
            step = try first(
                "SELECT id FROM step WHERE build_id = ? AND number = ?", [build, number],
                in: database)
            guard step != nil else { return false }
        }
        if let name = string("step_name") {
            step = try first(
                "SELECT id FROM step WHERE build_id = ? AND name = ?", [build, name], in: database)
            guard step != nil else { return false }
        }
        guard try find(&step, "stepid", "step", in: database) else { return false }
        if let slug = string("log_slug") {
            log = try first(
                "SELECT id FROM log WHERE step_id = ? AND slug = ?", [step, slug], in: database)
            guard log != nil else { return false }
        }
        return try find(&log, "logid", "log", in: database)
    }

    /// Finds a row by its id, if the path has one.
    private func find(
        _ id: inout Int?, _ name: String, _ table: String, in database: Database
    ) throws -> Bool {
        guard let number = number(name) else { return true }
        id = try first("SELECT id FROM \(table) WHERE id = ?", [number], in: database)
        return id != nil
    }

    private func first(
        _ query: String, _ arguments: StatementArguments, in database: Database
    ) throws -> Int? {
        try Int.fetchOne(database.cachedStatement(sql: query), arguments: arguments)
    }
}
