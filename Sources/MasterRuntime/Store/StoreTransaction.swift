internal import FoundationEssentials
internal import GRDB
internal import MasterKit

/// The verbs of one transition, which is committed as a whole or not at all.
///
/// Every verb changes rows and adds the events that tell of it; the events are published, in
/// order, once the commit is on disk. A transaction is used in the closure that was given it and
/// nowhere else.
final class StoreTransaction {
    /// The writer's connection.
    let database: Database
    /// The moment of the transition.
    let now: Date
    /// What is known without asking the database.
    let cache: RecordCache
    /// The master's address, which stands in the records.
    let identity: MasterIdentity
    /// Which events are stored, and which are read by somebody.
    let wanted: WantedEvents
    /// The events so far, in order.
    private(set) var events: [Event] = []

    init(
        database: Database,
        now: Date,
        cache: RecordCache,
        identity: MasterIdentity,
        wanted: WantedEvents
    ) {
        self.database = database
        self.now = now
        self.cache = cache
        self.identity = identity
        self.wanted = wanted
    }

    /// Adds an event: stores it when its kind is stored, and publishes it after the commit.
    func append(_ event: Event) throws {
        guard wanted.stored.contains(event.kind) else {
            if wanted.live.contains(event.kind) { events.append(event) }
            return
        }
        var event = event
        try event.insert(in: database)
        events.append(event)
    }

    /// Adds an event whose record is made only when somebody wants it.
    ///
    /// - Parameters:
    ///   - kind: What happened.
    ///   - lane: The request, or the lane of what belongs to none.
    ///   - build: The build that it is about or belongs to.
    ///   - record: Makes the record.
    /// - Throws: What the database says.
    func append(
        _ kind: EventKind,
        lane: Int,
        build: RunningBuild? = nil,
        _ record: () throws -> JSONObject
    ) throws {
        guard wanted.contains(kind) else { return }
        try append(
            Event(
                at: now,
                kind: kind,
                lane: lane,
                buildID: build?.build.id,
                previousBuildID: build?.previousBuildID,
                record: record()
            )
        )
    }
}

/// The kinds of events that are worth making a record for.
struct WantedEvents: Sendable {
    /// Those that are kept for the reporters.
    var stored: Set<EventKind> = []
    /// Those that are read as they happen.
    var live: Set<EventKind> = []

    /// Whether anybody wants a kind.
    func contains(_ kind: EventKind) -> Bool {
        stored.contains(kind) || live.contains(kind)
    }
}
