internal import MasterKit

/// What does not change of a build while it runs.
struct BuildFacts: Sendable, Hashable {
    let id: Int
    /// The request, whose id is the lane of the build's events.
    let requestID: Int
    /// The last build of the builder that had finished when this one started.
    let previousBuildID: Int?
}

/// The writer's memory of rows that it would otherwise read for every event.
///
/// It may hold what a savepoint has written, so it is emptied whenever one is rolled back.
final class RecordCache {
    /// How many entries of a kind are kept before all are dropped.
    private static let bound = 4096

    private var builders: [Int: Builder] = [:]
    private var builds: [Int: BuildFacts] = [:]
    private var steps: [Int: BuildFacts] = [:]

    /// The builder of an id, read when it is not known.
    func builder(_ id: Int, read: () throws -> Builder?) rethrows -> Builder? {
        try Self.find(id, in: &builders, read: read)
    }

    /// The facts of a build, read when they are not known.
    func build(_ id: Int, read: () throws -> BuildFacts?) rethrows -> BuildFacts? {
        try Self.find(id, in: &builds, read: read)
    }

    /// The facts of a step's build, read when they are not known.
    func build(ofStep id: Int, read: () throws -> BuildFacts?) rethrows -> BuildFacts? {
        try Self.find(id, in: &steps, read: read)
    }

    /// Keeps the facts of a build that was just begun.
    func remember(_ build: BuildFacts) {
        builds[build.id] = build
    }

    /// Forgets a builder, as it has changed.
    func forget(builder id: Int) {
        builders[id] = nil
    }

    /// Forgets everything.
    func removeAll() {
        builders.removeAll()
        builds.removeAll()
        steps.removeAll()
    }

    private static func find<Value>(
        _ id: Int,
        in values: inout [Int: Value],
        read: () throws -> Value?
    ) rethrows -> Value? {
        if let known = values[id] { return known }
        guard let value = try read() else { return nil }
        if values.count >= bound { values.removeAll(keepingCapacity: true) }
        values[id] = value
        return value
    }
}
