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
