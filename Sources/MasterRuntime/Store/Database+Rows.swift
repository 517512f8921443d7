internal import FoundationEssentials
internal import GRDB

/// Statements are compiled once a connection and used again; rows are read by position, in the
/// order of the `columns` of each record.
extension Database {
    /// Carries out a statement that gives no rows.
    func run(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    /// The number that a statement gives, `nil` when it gives none.
    func number(_ sql: String, _ arguments: StatementArguments) throws -> Int? {
        try Int.fetchOne(cachedStatement(sql: sql), arguments: arguments)
    }

    /// The numbers that a statement gives, one a row.
    func numbers(_ sql: String, _ arguments: StatementArguments) throws -> [Int] {
        try Int.fetchAll(cachedStatement(sql: sql), arguments: arguments)
    }

    /// Makes a value of the first row, `nil` when there is none.
    func first<Value>(
        _ sql: String,
        _ arguments: StatementArguments = StatementArguments(),
        _ make: (Row) throws -> Value
    ) throws -> Value? {
        let rows = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        var value: Value?
        while let row = try rows.next() {
            if value == nil { value = try make(row) }
        }
        return value
    }

    /// Makes a value of every row.
    func all<Value>(
        _ sql: String,
        _ arguments: StatementArguments = StatementArguments(),
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
    /// The moment in a column of seconds since 1970.
    func date(_ column: Int) -> Date? {
        (self[column] as Double?).map { Date(timeIntervalSince1970: $0) }
    }
}

extension Date {
    /// The moment as it stands in a column.
    var stored: Double { timeIntervalSince1970 }
}
