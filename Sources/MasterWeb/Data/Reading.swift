internal import GRDB
internal import MasterKit
internal import MasterRuntime

/// A request for records, answered from one committed state of the store.
struct Reading: Sendable {
    /// What was found.
    enum Outcome: Sendable {
        case item(JSONValue)
        case page([JSONValue], total: Int)
        case log(FoundLog)
    }

    let endpoint: Endpoint
    let query: DataQuery
    let arguments: Endpoint.Arguments
    let state: MasterState

    /// Finds the records, or returns `nil` if the path names one that does not exist.
    func outcome(in database: Database) throws -> Outcome? {
        guard let place = try Place(arguments, in: database) else { return nil }
        if let table = endpoint.resource.table {
            return try rows(of: table, at: place, in: database)
        }
        switch endpoint.resource.type {
        case "logchunk": return try log(at: place, in: database).map { .log($0) }
        case "sourcedproperties":
            return try properties(at: place, in: database).map { .item(.object($0.sorted())) }
        case "_property":
            return try properties(at: place, in: database).map { propertyList($0) }
        case "spec": return page(of: Endpoint.all.map(\.specification))
        default:
            guard let rows = try state.rows(of: endpoint, at: place, in: database) else {
                return nil
            }
            guard endpoint.isItem else { return page(of: rows) }
            return rows.first.map { .item(query.select($0)) }
        }
    }

    private func page(of rows: [JSONObject]) -> Outcome {
        let (rows, total) = query.apply(to: rows)
        return .page(rows, total: total)
    }

    private func rows(
        of table: String, at place: Place, in database: Database
    ) throws -> Outcome? {
        // Filters, orders and pages are for collections alone.
        var selection = TableQuery(query, table: table, isItem: endpoint.isItem)
        selection.restrict(to: place, of: endpoint)
        if table == "log", query.fields.contains(where: { $0.name == "num_lines" }) {
            selection.complete = { id, log in
                if let count = state.lineCount(ofLog: id) { log["num_lines"] = .int(count) }
            }
        }
        if table == "change" {
            selection.complete = { _, change in
                change["properties"] = change["properties"]?.objectValue.map {
                    .object($0.ofChange.sorted())
                }
            }
        }
        guard endpoint.isItem else {
            let page = try selection.page(limit: DataAPI.maximumRowCount, in: database)
            return .page(page.rows, total: page.total)
        }
        return try selection.item(in: database).map { .item($0) }
    }

    // MARK: Properties

    private func properties(at place: Place, in database: Database) throws -> JSONObject? {
        if let change = place.change {
            let stored = try String.fetchOne(
                database.cachedStatement(sql: "SELECT properties FROM change WHERE id = ?"),
                arguments: [change])
            return Field.json(stored).objectValue?.ofChange
        }
        let resource = place.build == nil ? Resource.buildrequest : Resource.build
        guard let field = resource.field("properties"),
            case .properties(let column, let changed) = field.column
        else { return nil }
        let source =
            if let build = place.build {
                ("SELECT \(column), \(changed ?? "'[]'") FROM build WHERE id = ?", build)
            } else {
                ("SELECT properties, '[]' FROM buildset WHERE id = ?", place.buildset ?? 0)
            }
        let row = try Row.fetchOne(
            database.cachedStatement(sql: source.0), arguments: [source.1])
        return row.map { row in
            Field.properties(
                .optional(row[0] as String?), changed: .optional(row[1] as String?))
        }
    }

    private func propertyList(_ properties: JSONObject) -> Outcome {
        page(
            of: properties.map { name, pair in
                [
                    "name": .string(name), "source": pair[1] ?? .null,
                    "value": .string(JSONWriter.python.string(pair[0] ?? .null)),
                ]
            })
    }

    // MARK: Logs

    private func log(at place: Place, in database: Database) throws -> FoundLog? {
        let row = try Row.fetchOne(
            database.cachedStatement(
                sql: """
                    SELECT log.id, kind, slug, path, builder.name, build.number, worker.name,
                        step.name
                    FROM log JOIN step ON step.id = step_id JOIN build ON build.id = build_id
                    JOIN builder ON builder.id = builder_id JOIN worker ON worker.id = worker_id
                    WHERE log.id = ?
                    """),
            arguments: [place.log])
        return row.map {
            FoundLog(
                id: $0[0], kind: $0[1], slug: $0[2], path: $0[3], builder: $0[4], build: $0[5],
                worker: $0[6], step: $0[7])
        }
    }
}

extension TableQuery {
    /// Restricts the rows to those that belong to the records of a path.
    fileprivate mutating func restrict(to place: Place, of endpoint: Endpoint) {
        switch endpoint.resource.type {
        case "build":
            if endpoint.isItem {
                restrict("build.id = ?", place.build)
            } else {
                restrict("build.builder_id = ?", place.builder)
                restrict("build.request_id = ?", place.request)
                restrict("build.worker_id = ?", place.worker)
                restrict("build.id IN (\(Change.buildsOfChange))", place.change)
                // The builds that a build has triggered.
                restrict(
                    """
                    build.request_id IN (SELECT id FROM build_request WHERE buildset_id IN
                        (SELECT id FROM buildset WHERE parent_build_id = ?))
                    """, place.build)
            }
        case "step":
            endpoint.isItem
                ? restrict("step.id = ?", place.step)
                : restrict("step.build_id = ?", place.build)
        case "log":
            if endpoint.isItem {
                restrict("log.id = ?", place.log)
            } else if let step = place.step {
                restrict("log.step_id = ?", step)
            } else {
                restrict("log.step_id IN (SELECT id FROM step WHERE build_id = ?)", place.build)
            }
        case "buildrequest":
            restrict("build_request.id = ?", place.request)
            restrict("build_request.builder_id = ?", place.builder)
        case "buildset": restrict("buildset.id = ?", place.buildset)
        case "sourcestamp":
            restrict("source_stamp.id = ?", place.sourceStamp)
            restrict("source_stamp.buildset_id = ?", place.buildset)
        case "change":
            restrict("change.id = ?", place.change)
            restrict("change.source_stamp_id = ?", place.sourceStamp)
            restrict("change.id IN (\(Change.changesOfBuild))", place.build)
        default: break
        }
    }
}

extension JSONObject {
    /// The properties of a change with their source.
    fileprivate var ofChange: JSONObject { Properties(self, source: "Change").json }
}

extension Endpoint {
    fileprivate var specification: JSONObject {
        [
            "path": .string(pattern), "plural": .string(resource.plural),
            "type": .string(resource.type), "type_spec": .object(resource.specification),
        ]
    }
}
