internal import FoundationEssentials
internal import GRDB
internal import MasterKit

/// The rows of a table of the store that a client wants, as SQL.
struct TableQuery {
    private let query: DataQuery
    private let table: String
    private var conditions: [String] = []
    private(set) var arguments = StatementArguments()
    /// Completes a record by what the store does not know, given its id.
    var complete: (Int, inout JSONObject) -> Void = { _, _ in }

    /// - Parameters:
    ///   - query: What the client wants; its resource has a table.
    ///   - table: The name of the table.
    ///   - isItem: Whether the path names one row, to which filters do not apply.
    init(_ query: DataQuery, table: String, isItem: Bool) {
        self.query = query
        self.table = table
        for filter in query.filters where !isItem { add(filter) }
    }

    /// Restricts the rows to those of a record that the path names, if it does.
    mutating func restrict(_ condition: String, _ id: Int?) {
        guard let id else { return }
        conditions.append(condition)
        arguments += [id]
    }

    // MARK: Reading

    /// The rows of a page, and the number of rows of all pages.
    func page(limit: Int, in database: Database) throws -> (rows: [JSONValue], total: Int) {
        let count = min(query.limit ?? limit, limit)
        let rows = try read("LIMIT \(count) OFFSET \(query.offset)", in: database)
        guard rows.count == count || query.offset > 0 else { return (rows, rows.count) }
        let total = try Int.fetchOne(
            database.makeStatement(sql: "SELECT count(*) FROM \(table) \(filter)"),
            arguments: arguments)
        return (rows, total ?? rows.count)
    }

    /// The one row that the path names.
    func item(in database: Database) throws -> JSONValue? {
        try read("LIMIT 1", in: database).first
    }

    private var filter: String {
        conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
    }

    /// The rows, with the id in the last column.
    ///
    /// The inner query finds them, often in an index alone; only these are then read.
    func statement(_ limit: String, explaining: Bool = false) -> String {
        let columns = query.fields.map { $0.column.selected(wanting: query.properties) }
        return """
            \(explaining ? "EXPLAIN QUERY PLAN" : "")
            SELECT \((columns + ["\(table).id"]).joined(separator: ", "))
            FROM \(table) WHERE \(table).id IN (
                SELECT \(table).id FROM \(table) \(filter) \(order) \(limit)) \(order)
            """
    }

    /// The argument of the column with properties, if only some of them are wanted.
    private var namesOfProperties: StatementArguments {
        let names = query.properties
        let hasColumn = query.fields.contains {
            if case .properties = $0.column { true } else { false }
        }
        guard hasColumn, !names.isEmpty, !names.contains("*") else { return [] }
        let list = JSONValue.array(names.sorted().map { .string($0) })
        return [JSONWriter.compact.string(list)]
    }

    private func read(_ limit: String, in database: Database) throws -> [JSONValue] {
        // Not cached: clients can make any number of different statements.
        let statement = try database.makeStatement(sql: statement(limit))
        let rows = try Row.fetchCursor(statement, arguments: namesOfProperties + arguments)
        var values: [JSONValue] = []
        while let row = try rows.next() {
            var object = JSONObject()
            object.reserveCapacity(query.fields.count)
            for (index, field) in query.fields.enumerated() {
                object[field.name] = field.value(of: row, at: index, wanting: query.properties)
            }
            complete(row[query.fields.count], &object)
            values.append(.object(object))
        }
        return values
    }

    private var order: String {
        var terms = query.orders.compactMap { order in
            order.field.column.compared.map { expression in
                guard order.field.type.isOptional else {
                    return expression + (order.isDescending ? " DESC" : "")
                }
                return expression + (order.isDescending ? " DESC NULLS FIRST" : " NULLS LAST")
            }
        }
        // Rows that are equal otherwise have an order, too, so that pages do not overlap.
        let isDescending = query.orders.first?.isDescending ?? query.resource.isNewestFirst
        terms.append("\(table).id" + (isDescending ? " DESC" : ""))
        return "ORDER BY " + terms.joined(separator: ", ")
    }

    // MARK: Filters

    private mutating func add(_ filter: DataQuery.Filter) {
        let marks = databaseQuestionMarks(count: filter.values.count)
        switch filter.field.column {
        case .condition(let yes, let no):
            let wanted = Set(filter.values.map { ($0 == .bool(true)) == (filter.test == .equal) })
            if wanted.count == 2 { conditions.append(filter.test == .equal ? "1" : "0") }
            if wanted.count == 1 { conditions.append(wanted.contains(true) ? yes : no) }
        case .json(let expression):
            conditions.append(
                """
                EXISTS (SELECT 1 FROM json_each(\(expression)) WHERE json_each.value IN (\(marks)))
                """)
            arguments += filter.arguments
        case .properties: break
        case .time(let column): addTime(filter, of: column)
        case .value(let expression): add(filter, of: expression)
        }
    }

    private mutating func add(_ filter: DataQuery.Filter, of expression: String) {
        let values = filter.values.filter { $0 != .null }
        let marks = databaseQuestionMarks(count: values.count)
        let hasNull = values.count < filter.values.count
        switch filter.test {
        case .equal:
            conditions.append(
                hasNull
                    ? "(\(expression) IS NULL OR \(expression) IN (\(marks)))"
                    : "\(expression) IN (\(marks))")
        case .unequal:
            conditions.append(
                hasNull
                    ? "(\(expression) IS NOT NULL AND \(expression) NOT IN (\(marks)))"
                    : "(\(expression) IS NULL OR \(expression) NOT IN (\(marks)))")
        case .less: conditions.append("\(expression) < ?")
        case .atMost: conditions.append("\(expression) <= ?")
        case .greater: conditions.append("\(expression) > ?")
        case .atLeast: conditions.append("\(expression) >= ?")
        case .contains:
            let parts = values.map { _ in "instr(\(expression), ?) > 0" }
            conditions.append("(\(parts.joined(separator: " OR ")))")
        }
        arguments += filter.arguments
    }

    /// Compares whole seconds, of which clients know, with a column that has fractions.
    private mutating func addTime(_ filter: DataQuery.Filter, of column: String) {
        var parts: [String] = []
        for value in filter.values {
            guard case .int(let second) = value else {
                parts.append("\(column) IS NULL")
                continue
            }
            let (begin, end) = (Double(second), Double(second) + 1)
            switch filter.test {
            case .equal, .unequal, .contains:
                parts.append("ifnull(\(column) >= ? AND \(column) < ?, 0)")
                arguments += [begin, end]
            case .less:
                parts.append("\(column) < ?")
                arguments += [begin]
            case .atMost:
                parts.append("\(column) < ?")
                arguments += [end]
            case .greater:
                parts.append("\(column) >= ?")
                arguments += [end]
            case .atLeast:
                parts.append("\(column) >= ?")
                arguments += [begin]
            }
        }
        let any = "(\(parts.joined(separator: " OR ")))"
        conditions.append(filter.test == .unequal ? "NOT \(any)" : any)
    }
}

extension DataQuery.Filter {
    /// The values but null as arguments.
    fileprivate var arguments: StatementArguments {
        StatementArguments(
            values.compactMap { value -> (any DatabaseValueConvertible)? in
                switch value {
                case .null: nil
                case .int(let number): number
                case .bool(let isTrue): isTrue
                case .string(let text): text
                }
            })
    }
}

extension Column {
    /// The expression that rows are ordered by, or `nil` if they cannot be.
    fileprivate var compared: String? {
        switch self {
        case .value(let expression), .time(let expression): expression
        case .condition(let condition, _): "(\(condition))"
        case .json, .properties: nil
        }
    }

    /// The expression that is read.
    fileprivate func selected(wanting properties: Set<String>) -> String {
        switch self {
        case .value(let expression), .time(let expression), .json(let expression): expression
        case .condition(let condition, _): "(\(condition))"
        case .properties(let column, let changed):
            if properties.isEmpty {
                "NULL"
            } else if properties.contains("*") {
                "json_array(\(column), \(changed ?? "'[]'"))"
            } else {
                """
                json_array(
                    (SELECT json_group_object(key, json(value)) FROM json_each(\(column))
                    WHERE key IN (SELECT value FROM json_each(?))), \(changed ?? "'[]'"))
                """
            }
        }
    }
}

extension Field {
    fileprivate func value(
        of row: Row, at index: Int, wanting properties: Set<String>
    ) -> JSONValue {
        switch column {
        case .condition: return .bool(row[index] as Bool? ?? false)
        case .time: return .optional((row[index] as Double?).flatMap(Self.second))
        case .json: return Self.json(row[index])
        case .properties(_, let changed):
            guard !properties.isEmpty else { return changed == nil ? .null : [:] }
            let parts = Self.json(row[index])
            return .object(
                Self.properties(parts[0], changed: parts[1]).sorted(wanting: properties))
        case .value:
            switch type.base {
            case .string, .identifier: return .optional(row[index] as String?)
            default: return .optional(row[index] as Int?)
            }
        }
    }

    fileprivate static func second(_ time: Double) -> Int? { Int(exactly: time.rounded(.down)) }

    /// Parses what SQLite has written; it is not limited, because the store's own limits apply.
    static func json(_ text: String?) -> JSONValue {
        do {
            return try text.map { try JSONValue(parsing: $0) } ?? .null
        } catch {
            return .null
        }
    }

    /// Properties as they are stored, with those that have changed since; each as JSON or its text.
    static func properties(_ stored: JSONValue?, changed: JSONValue?) -> JSONObject {
        func value(_ part: JSONValue?) -> JSONValue? { part?.stringValue.map { json($0) } ?? part }
        var properties = value(stored)?.objectValue ?? JSONObject()
        for change in value(changed)?.arrayValue ?? [] {
            guard let name = change[0]?.stringValue, let value = change[1], let source = change[2]
            else { continue }
            properties[name] = [value, source]
        }
        return properties
    }
}

extension JSONObject {
    /// The wanted values in the order of their names; `*` stands for all.
    func sorted(wanting names: Set<String> = ["*"]) -> JSONObject {
        JSONObject(
            filter { names.contains("*") || names.contains($0.key) }
                .sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }
}
