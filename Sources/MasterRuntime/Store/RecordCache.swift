internal import GRDB
internal import MasterKit

/// The writer's memory of what is under way, so that a change need not read what it changes.
///
/// It always equals the rows, as nobody else changes them; it may hold what a savepoint has
/// written, so it is emptied whenever one is rolled back.
final class RecordCache {
    var builders = RecordTable<Builder>("builder")
    /// The number of each builder's next build.
    var nextNumbers = RecordTable<Int>("builder")
    var buildsets = RecordTable<Buildset>("buildset")
    var requests = RecordTable<BuildRequest>("build request")
    var builds = RecordTable<RunningBuild>("build")
    var steps = RecordTable<StepRecord>("step")
    var logs = RecordTable<Log>("log")

    /// Forgets everything.
    func removeAll() {
        builders.forgetAll()
        nextNumbers.forgetAll()
        buildsets.forgetAll()
        requests.forgetAll()
        builds.forgetAll()
        steps.forgetAll()
        logs.forgetAll()
    }
}

/// A build with the last one of its builder that had finished when it started.
struct RunningBuild: Sendable, Hashable {
    var build: Build
    let previousBuildID: Int?
}

extension StoreTransaction {
    /// The builder of an id.
    func builder(_ id: Int) throws -> Builder {
        try cache.builders.find(id) { try Builder.find(id, in: database) }
    }

    /// The buildset of an id, with its source stamps.
    func buildset(_ id: Int) throws -> Buildset {
        try cache.buildsets.find(id) { try Buildset.find(id, in: database) }
    }

    /// The request of an id.
    func request(_ id: Int) throws -> BuildRequest {
        try cache.requests.find(id) { try BuildRequest.find(id, in: database) }
    }

    /// The build of an id, which need not be running any more.
    func build(_ id: Int) throws -> RunningBuild {
        try cache.builds.find(id) { try RunningBuild.find(id, in: database) }
    }

    /// The step of an id.
    func step(_ id: Int) throws -> StepRecord {
        try cache.steps.find(id) { try StepRecord.find(id, in: database) }
    }

    /// The log of an id.
    func log(_ id: Int) throws -> Log {
        try cache.logs.find(id) { try Log.find(id, in: database) }
    }
}

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
