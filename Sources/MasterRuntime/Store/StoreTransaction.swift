internal import FoundationEssentials
internal import GRDB
internal import MasterKit

/// The operations of one transition, which is committed as a whole or not at all.
///
/// Every operation changes rows and adds the corresponding events, which are published in order
/// after the commit. A transaction must not be used outside the closure that receives it.
final class StoreTransaction {
    let database: Database
    /// The time of the transition.
    let now: Date
    let cache: RecordCache
    /// The master's title and URL, used in records.
    let identity: MasterIdentity
    /// The kinds of events that are stored or have live subscribers.
    let wanted: WantedEvents
    /// The events so far, in order.
    private(set) var events: [Event] = []
    /// The results of the steps that have ended, and how long they took.
    var endedSteps: [(results: Results, seconds: Double)] = []

    init(
        database: Database, now: Date, cache: RecordCache, identity: MasterIdentity,
        wanted: WantedEvents
    ) {
        self.database = database
        self.now = now
        self.cache = cache
        self.identity = identity
        self.wanted = wanted
    }

    /// Adds an event. It is stored if its kind is stored, and published after the commit.
    func append(_ event: Event) throws {
        guard wanted.stored.contains(event.kind) else {
            if wanted.live.contains(event.kind) { events.append(event) }
            return
        }
        var event = event
        try event.insert(in: database)
        events.append(event)
    }

    /// Adds an event whose record is only made if the event is stored or has subscribers.
    ///
    /// - Parameters:
    ///   - kind: What happened.
    ///   - lane: The request's id, or the lane of events that belong to no request.
    ///   - build: The build that the event is about or belongs to.
    ///   - record: Makes the record.
    /// - Throws: A database error.
    func append(
        _ kind: EventKind, lane: Int, build: RunningBuild? = nil,
        _ record: () throws -> JSONObject
    ) throws {
        guard wanted.contains(kind) else { return }
        try append(
            Event(
                at: now, kind: kind, lane: lane, buildID: build?.build.id,
                previousBuildID: build?.previousBuildID, record: record())
        )
    }
}

/// The kinds of events that a record is made for.
struct WantedEvents: Sendable {
    /// The kinds stored for the reporters.
    var stored: Set<EventKind> = []
    /// The kinds that have live subscribers.
    var live: Set<EventKind> = []

    /// Whether events of a kind are wanted at all.
    func contains(_ kind: EventKind) -> Bool {
        stored.contains(kind) || live.contains(kind)
    }
}

/// The records of events, as of the end of the transition.
///
/// Records stored for reports contain more than those that are only published live, because reports
/// are made later, when related records may have changed.
extension StoreTransaction {
    /// Adds an event of a build, including its surroundings.
    func append(_ kind: EventKind, of running: RunningBuild) throws {
        try append(kind, lane: running.build.requestID, build: running) {
            try record(of: running.build)
        }
    }

    func append(_ kind: EventKind, of step: StepRecord) throws {
        guard wanted.contains(kind) else { return }
        let running = try build(step.buildID)
        try append(kind, lane: running.build.requestID, build: running) {
            var record = step.json
            guard wanted.stored.contains(kind) else { return record }
            record["build"] = .object(try self.record(of: running.build))
            return record
        }
    }

    func append(_ kind: EventKind, of request: BuildRequest) throws {
        try append(kind, lane: request.id) {
            var record = request.json
            guard wanted.stored.contains(kind) else { return record }
            record["build"] = .object(try buildToBe(of: request))
            return record
        }
    }

    func append(_ kind: EventKind, of buildset: Buildset) throws {
        try append(kind, lane: buildset.lane) {
            var record = buildset.json
            guard wanted.stored.contains(kind) else { return record }
            let properties = try Buildset.properties(buildset.id, in: database)
            record["properties"] = .object(properties.json)
            return record
        }
    }

    func record(of build: Build) throws -> JSONObject {
        let request = try request(build.requestID)
        let buildset = try buildset(request.buildsetID)
        let parent = try buildset.parentBuildID.flatMap { try Build.find($0, in: database) }
        return BuildSurroundings(
            request: request,
            buildset: buildset,
            builder: try builder(build.builderID),
            parent: parent,
            parentBuilder: try parent.map { try self.builder($0.builderID) }
        ).record(of: build, in: identity)
    }

    /// The known part of the record of a request's future build.
    func buildToBe(of request: BuildRequest) throws -> JSONObject {
        let builder = try builder(request.builderID)
        let buildset = try buildset(request.buildsetID)
        let properties = try Buildset.properties(buildset.id, in: database)
        return [
            "builder": .object(builder.json), "builderid": .int(builder.id),
            "buildrequest": .object(request.json), "buildset": .object(buildset.json),
            "complete": .bool(request.completeAt != nil),
            "properties": .object(properties.json),
            "results": .optional(request.results?.rawValue),
            "url": .string(identity.url(ofRequest: request.id)),
        ]
    }
}

/// The records related to a build that are included in its own record.
struct BuildSurroundings {
    let request: BuildRequest
    let buildset: Buildset
    let builder: Builder
    let parent: Build?
    let parentBuilder: Builder?

    /// The build as reports see it: the data API's record with the related records added.
    func record(of build: Build, in identity: MasterIdentity) -> JSONObject {
        var record = build.json
        record["buildrequest"] = .object(request.json)
        record["buildset"] = .object(buildset.json)
        record["parentbuild"] = parent.map { .object($0.json) } ?? .null
        record["parentbuilder"] = parentBuilder.map { .object($0.json) } ?? .null
        record["builder"] = .object(builder.json)
        record["url"] = .string(identity.url(ofBuild: build.number, builderID: builder.id))
        return record
    }
}

extension BuildSurroundings {
    /// Reads the records related to a build.
    init(of build: Build, in database: Database) throws {
        let request = try Self.found(BuildRequest.find(build.requestID, in: database))
        let buildset = try Self.found(Buildset.find(request.buildsetID, in: database))
        let parent = try buildset.parentBuildID.flatMap { try Build.find($0, in: database) }
        self.init(
            request: request,
            buildset: buildset,
            builder: try Self.found(Builder.find(build.builderID, in: database)),
            parent: parent,
            parentBuilder: try parent.map {
                try Self.found(Builder.find($0.builderID, in: database))
            }
        )
    }

    private static func found<Record>(_ record: Record?) throws(StoreError) -> Record {
        guard let record else {
            throw StoreError(.conflict, "a build in the store has no \(Record.self) any more")
        }
        return record
    }
}

/// What happens to a request when its build finishes.
enum BuildOutcome: Sendable, Hashable {
    /// The request finishes too, as does the buildset with its last request.
    case finished
    /// The request becomes pending again, to be built once more.
    case retried
}

extension StoreTransaction {
    /// Claims a pending request and creates its build. Event: request claimed.
    ///
    /// The build gets its builder's next number and records the builder's previous finished build.
    /// Once the number is known, create the properties and call ``announce(_:properties:)`` in the
    /// same transition; no event of the build is published before that.
    /// - Throws: ``StoreError`` if the request is not pending.
    func claim(_ requestID: Int, builder: Builder, workerID: Int) throws -> Build {
        try claimRequest(requestID)
        let number = try nextNumber(of: builder)
        let previous = try previousBuildID(of: builder, before: number)
        try database.run(
            """
            INSERT INTO build (builder_id, number, request_id, worker_id, previous_build_id,
                started_at, state_string, properties)
            VALUES (?, ?, ?, ?, ?, ?, 'starting', ?)
            """,
            [
                builder.id, number, requestID, workerID, previous, now.stored,
                Properties().stored,
            ]
        )
        let build = Build(
            id: Int(database.lastInsertedRowID), number: number, builderID: builder.id,
            requestID: requestID, workerID: workerID, startedAt: now, properties: Properties())
        cache.builds.keep(RunningBuild(build: build, previousBuildID: previous), at: build.id)
        return build
    }

    /// Stores the properties of a new build. Events: build new, requests collapsed.
    func announce(_ id: Int, properties: Masked<Properties>) throws {
        var running = try running(id)
        running.build.properties = properties.value
        try database.run(
            "UPDATE build SET properties = ? WHERE id = ?", [properties.value.stored, id])
        cache.builds.keep(running, at: id)
        try append(.buildNew, of: running)
        try appendCollapsed(into: running.build)
    }

    /// Stores properties of a build that have changed. Event: properties updated.
    ///
    /// A step that goes on after the end of its build changes nothing any more.
    func updateBuild(_ id: Int, changed: Masked<Properties>) throws {
        guard try build(id).build.completeAt == nil else { return }
        for (name, entry) in changed.value.entries {
            try database.run(
                """
                INSERT INTO build_property (build_id, name, value, source) VALUES (?, ?, ?, ?)
                ON CONFLICT (build_id, name) DO UPDATE SET
                    value = excluded.value, source = excluded.source
                """,
                [id, name, JSONWriter.compact.string(entry.value), entry.source])
        }
        cache.builds.change(id) { $0.build.properties.merge(changed.value) }
        let running = try build(id)
        try append(.propertiesUpdated, lane: running.build.requestID, build: running) {
            changed.value.json
        }
    }

    /// Finishes a build with its request and, if it was the last one, the buildset.
    ///
    /// The events' records are made after all rows have changed, so that the report of the build's
    /// end shows the final state. Events: build finished, requests collapsed, request finished,
    /// buildset finished.
    @discardableResult
    func finishBuild(
        _ id: Int, results: Results, stateString: Masked<String>,
        properties: Masked<Properties>,
        outcome: BuildOutcome = .finished
    ) throws -> Build {
        var running = try running(id)
        running.build.completeAt = now
        running.build.results = results
        running.build.stateString = stateString.value
        running.build.properties = properties.value
        try database.run(
            """
            UPDATE build SET complete_at = ?, results = ?, state_string = ?, properties = ?
            WHERE id = ?
            """,
            [now.stored, results.rawValue, stateString.value, properties.value.stored, id]
        )
        try database.run("DELETE FROM build_property WHERE build_id = ?", [id])
        cache.builds.forget(id)
        switch outcome {
        case .finished:
            let end = try finishRequest(running.build.requestID, results: results)
            try append(.buildFinished, of: running)
            try appendCollapsed(into: running.build)
            try append(end)
        case .retried:
            let request = try unclaimRequest(running.build.requestID)
            try append(.buildFinished, of: running)
            try append(.buildrequestUnclaimed, of: request)
            try appendCollapsed(into: running.build)
        }
        return running.build
    }

    private func running(_ id: Int) throws -> RunningBuild {
        let found = try build(id)
        guard found.build.completeAt == nil else {
            throw StoreError(.conflict, "the build \(id) is not running")
        }
        return found
    }

    private func nextNumber(of builder: Builder) throws -> Int {
        let number = try cache.nextNumbers.find(builder.id) {
            try database.number("SELECT next_number FROM builder WHERE id = ?", [builder.id])
        }
        try database.run(
            "UPDATE builder SET next_number = ? WHERE id = ?", [number + 1, builder.id])
        cache.nextNumbers.keep(number + 1, at: builder.id)
        return number
    }

    private func previousBuildID(of builder: Builder, before number: Int) throws -> Int? {
        try database.number(
            """
            SELECT id FROM build
            WHERE builder_id = ? AND number < ? AND results IS NOT NULL AND results NOT IN (?, ?)
            ORDER BY number DESC LIMIT 1
            """,
            [builder.id, number, Results.retry.rawValue, Results.skipped.rawValue]
        )
    }
}
