/// The rows of one kind that are kept in memory, because they are about to change again.
struct RecordTable<Record> {
    /// How many rows are kept before all are forgotten.
    private static var bound: Int { 4096 }

    private let name: String
    private var records: [Int: Record] = [:]

    /// Makes an empty table.
    ///
    /// - Parameter name: What a row is called in a sentence.
    init(_ name: String) {
        self.name = name
    }

    /// The row of an id, read when it is not in memory.
    ///
    /// - Parameters:
    ///   - id: The row.
    ///   - read: Reads the row.
    /// - Returns: The row.
    /// - Throws: ``StoreError`` when there is no such row.
    mutating func find(_ id: Int, read: () throws -> Record?) throws -> Record {
        if let known = records[id] { return known }
        guard let record = try read() else {
            throw StoreError(.conflict, "there is no \(name) \(id) in the store")
        }
        keep(record, at: id)
        return record
    }

    /// Keeps a row as it is now.
    mutating func keep(_ record: Record, at id: Int) {
        if records.count >= Self.bound { records.removeAll(keepingCapacity: true) }
        records[id] = record
    }

    /// Forgets a row that will hardly change again.
    mutating func forget(_ id: Int) {
        records[id] = nil
    }

    /// Forgets all rows.
    mutating func forgetAll() {
        records.removeAll()
    }
}
