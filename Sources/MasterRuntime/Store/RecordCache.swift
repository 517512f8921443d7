internal import GRDB
internal import MasterKit

/// The writer's cache of unfinished records, so that updating a row does not require reading it.
///
/// It always matches the rows because only the writer changes them. It may contain data written in
/// a savepoint, so it is emptied whenever a savepoint is rolled back.
final class RecordCache {
    var builders = RecordTable<Builder>("builder")
    /// The next build number of each builder.
    var nextNumbers = RecordTable<Int>("builder")
    var buildsets = RecordTable<Buildset>("buildset")
    var requests = RecordTable<BuildRequest>("build request")
    var builds = RecordTable<RunningBuild>("build")
    var steps = RecordTable<StepRecord>("step")
    var logs = RecordTable<Log>("log")

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

/// A build together with the builder's last build that had finished when this one started.
struct RunningBuild: Sendable, Hashable {
    var build: Build
    let previousBuildID: Int?
}

extension StoreTransaction {
    func builder(_ id: Int) throws -> Builder {
        try cache.builders.find(id) { try Builder.find(id, in: database) }
    }

    /// The buildset with an id, including its source stamps.
    func buildset(_ id: Int) throws -> Buildset {
        try cache.buildsets.find(id) { try Buildset.find(id, in: database) }
    }

    func request(_ id: Int) throws -> BuildRequest {
        try cache.requests.find(id) { try BuildRequest.find(id, in: database) }
    }

    /// The build with an id, running or finished.
    func build(_ id: Int) throws -> RunningBuild {
        try cache.builds.find(id) { try RunningBuild.find(id, in: database) }
    }

    func step(_ id: Int) throws -> StepRecord {
        try cache.steps.find(id) { try StepRecord.find(id, in: database) }
    }

    func log(_ id: Int) throws -> Log {
        try cache.logs.find(id) { try Log.find(id, in: database) }
    }
}

/// A cache for rows of one kind that are likely to change again.
struct RecordTable<Record> {
    /// The number of cached rows at which the cache is emptied.
    private static var bound: Int { 4096 }

    private let name: String
    private var records: [Int: Record] = [:]

    /// Creates an empty table.
    ///
    /// - Parameter name: The record's name in error messages.
    init(_ name: String) {
        self.name = name
    }

    /// Returns the row with an id, reading it if it is not cached.
    ///
    /// - Parameters:
    ///   - id: The row's id.
    ///   - read: Reads the row.
    /// - Returns: The row.
    /// - Throws: ``StoreError`` if the row does not exist.
    mutating func find(_ id: Int, read: () throws -> Record?) throws -> Record {
        if let known = records[id] { return known }
        guard let record = try read() else {
            throw StoreError(.conflict, "there is no \(name) \(id) in the store")
        }
        keep(record, at: id)
        return record
    }

    /// Caches the current state of a row.
    mutating func keep(_ record: Record, at id: Int) {
        if records.count >= Self.bound { records.removeAll(keepingCapacity: true) }
        records[id] = record
    }

    /// Changes a row in place, if it is cached.
    mutating func change(_ id: Int, _ body: (inout Record) -> Void) {
        guard let index = records.index(forKey: id) else { return }
        body(&records.values[index])
    }

    /// Drops a row that is unlikely to change again.
    mutating func forget(_ id: Int) {
        records[id] = nil
    }

    mutating func forgetAll() {
        records.removeAll()
    }
}
