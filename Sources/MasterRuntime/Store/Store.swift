internal import FoundationEssentials
internal import GRDB
package import MasterKit
internal import Synchronization

/// Persists builds, their requests, steps and logs, events, and queued reports.
///
/// Only one store can be open per folder. The folder is locked from
/// ``open(folder:durability:identity:clock:)`` until ``close()``, which must be called on every
/// store.
package final class Store: Sendable {
    /// The base folder, to which all paths in the store are relative.
    package let folder: String
    /// The store's unique identifier.
    package let identifier: String
    /// Whether the last master exited without closing the store, in which case builds may be
    /// unfinished.
    package let endedUncleanly: Bool

    let writer: StoreWriter
    private let lock: StoreLock
    private let stepIDs: Atomic<Int>
    private let logIDs: Atomic<Int>

    init(_ opened: StoreOpening) {
        folder = opened.folder
        identifier = opened.identifier
        endedUncleanly = opened.endedUncleanly
        writer = opened.writer
        lock = opened.lock
        stepIDs = Atomic(opened.lastStepID)
        logIDs = Atomic(opened.lastLogID)
    }

    /// The events, published in order after their commit.
    package var events: EventBus { writer.events }

    /// What the store has done since it was opened.
    var activity: StoreActivity { writer.activity.withLock { $0 } }

    /// The title and URL of the master, used in records from now on.
    var identity: MasterIdentity {
        get { writer.identity }
        set { writer.identity = newValue }
    }

    /// Why the store has stopped, or `nil` if it is working.
    package var failure: StoreError? { writer.failure }

    /// Waits until the store fails or is closed.
    package func waitForEnd() async {
        await writer.waitForEnd()
    }

    /// Allocates a step id, so that the step can be referred to before it is committed.
    func makeStepID() -> Int { stepIDs.add(1, ordering: .relaxed).newValue }

    /// Allocates a log id, so that the log can be referred to before it is committed.
    func makeLogID() -> Int { logIDs.add(1, ordering: .relaxed).newValue }

    /// Stores only events of the given kinds from now on.
    func storeEvents(of kinds: Set<EventKind>) {
        writer.store(kinds)
    }

    /// Runs a transition and returns after its commit.
    ///
    /// The closure runs on the writer's thread and must not block. If it throws, none of its
    /// changes are kept.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (StoreTransaction) throws -> Value
    ) async throws(StoreError) -> Value {
        let outcome: Result<Value, StoreError> = await withCheckedContinuation { caller in
            writer.queue.append(
                Transition(
                    perform: { transaction in
                        let value = try body(transaction)
                        return { caller.resume(returning: .success(value)) }
                    },
                    fail: { caller.resume(returning: .failure($0)) },
                    isPosted: false
                )
            )
        }
        return try outcome.get()
    }

    /// Enqueues a transition and returns, usually before its commit.
    ///
    /// Transitions of one task run in order, whether posted or awaited. While
    /// ``TransitionQueue/bound`` transitions are pending, the caller is suspended. If a posted
    /// transition fails, the store stops, because no caller would receive the error; see
    /// ``failure``.
    func post(_ body: @escaping @Sendable (StoreTransaction) throws -> Void) async {
        await writer.queue.post(
            Transition(
                perform: { transaction in
                    try body(transaction)
                    return {}
                },
                fail: { _ in },
                isPosted: true
            )
        )
    }

    /// Reads committed data, concurrently with the writer and off the cooperative pool.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        let path = writer.pool.path
        let outcome: Result<Value, StoreError> = await withCheckedContinuation { caller in
            writer.pool.asyncRead { database in
                do {
                    caller.resume(returning: .success(try body(database.get())))
                } catch {
                    caller.resume(returning: .failure(StoreError(reading: error, at: path)))
                }
            }
        }
        return try outcome.get()
    }

    /// Commits pending transitions, marks the store as cleanly closed, and unlocks the folder.
    ///
    /// Later transitions fail, and subscriptions to ``events`` end.
    package func close() async {
        if failure == nil {
            await post { try $0.database.run("UPDATE meta SET clean = 1") }
        }
        writer.queue.close(with: StoreError(.closed, "the store of \(folder) has been closed"))
        await writer.waitForEnd()
        await writer.closeDatabase()
        events.finish()
        lock.release()
    }
}

/// Runs transitions on a dedicated thread, batching all pending ones into one commit.
final class StoreWriter: Sendable {
    let pool: DatabasePool
    let queue = TransitionQueue()
    let events: EventBus
    private let file: DatabaseFile
    private let names: Mutex<MasterIdentity>
    /// What a committed record survives.
    let durability: Durability
    private let clock: @Sendable () -> Date
    private let storedKinds = Mutex<Set<EventKind>>([])
    /// What has been done so far.
    let activity = Mutex(StoreActivity())
    /// The first failure.
    private let failed = Mutex<StoreError?>(nil)
    /// Set once nothing more is written.
    private let ended = Latch<Void>()
    private let isClosing = Atomic(false)
    private let closed = Latch<Void>()

    init(
        pool: DatabasePool, events: EventBus, identity: MasterIdentity, durability: Durability,
        clock: @escaping @Sendable () -> Date
    ) throws(StoreError) {
        self.pool = pool
        file = try DatabaseFile(path: pool.path)
        self.events = events
        names = Mutex(identity)
        self.durability = durability
        self.clock = clock
    }

    /// Why the store has stopped, or `nil` if it is working or was closed.
    var failure: StoreError? { failed.withLock(\.self) }

    /// The title and URL of the master, used in records.
    var identity: MasterIdentity {
        get { names.withLock { $0 } }
        set { names.withLock { $0 = newValue } }
    }

    /// Sets the kinds of events to store from now on.
    func store(_ kinds: Set<EventKind>) {
        storedKinds.withLock { $0 = kinds }
    }

    /// Waits until the thread has run its last transition.
    func waitForEnd() async {
        await ended.wait()
    }

    /// Runs transitions until the queue is closed or a failure stops the store.
    func run() {
        let cache = RecordCache()
        var sync = LogSync(database: pool.path, durability: durability)
        while !queue.isOver {
            let batch = queue.takeBatch(waitingUntil: sync.deadline)
            if !batch.isEmpty {
                commit(batch, cache: cache)
                sync.noteCommit()
            }
            do {
                try sync.syncIfDue()
            } catch {
                stop(with: StoreError(syncing: pool.path, cause: error))
            }
        }
        ended.set()
    }

    /// Checkpoints the write-ahead log and closes the database, after the thread has ended.
    func closeDatabase() async {
        guard !isClosing.exchange(true, ordering: .acquiringAndReleasing) else {
            return await closed.wait()
        }
        do {
            try await OwnThread.run { [pool] in
                try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
                try pool.close()
            }
        } catch {
            // No commit is lost: the log remains and is recovered when the store is next opened.
        }
        closed.set()
    }

    private func commit(_ batch: [Transition], cache: RecordCache) {
        var commit = GroupCommit(
            path: pool.path, cache: cache, identity: identity, clock: clock,
            wanted: WantedEvents(stored: storedKinds.withLock { $0 }, live: events.wantedKinds))
        let start = ContinuousClock.now
        do {
            try file.check()
            try pool.writeWithoutTransaction { database in
                try commit.run(batch, in: database)
            }
            let duration = (ContinuousClock.now - start) / .seconds(1)
            activity.withLock { $0.note(commit, lasting: duration) }
        } catch {
            let error = StoreError(error, at: pool.path)
            stop(with: error)
            for transition in batch { transition.fail(error) }
            return
        }
        events.publish(commit.events)
        for tell in commit.outcomes { tell() }
        if let failure = commit.failure { stop(with: failure) }
    }

    private func stop(with error: StoreError) {
        failed.withLock { $0 = $0 ?? error }
        queue.stop(with: error)
    }
}

/// What a store has done since it was opened, for monitoring.
package struct StoreActivity: Sendable {
    /// The number of commits.
    package private(set) var commits = 0
    /// How long they took together, in seconds.
    package private(set) var commitSeconds = 0.0
    /// The number of steps that have ended and how long they took, by their results.
    package private(set) var steps: [Results: (count: Int, seconds: Double)] = [:]

    fileprivate mutating func note(_ commit: GroupCommit, lasting duration: Double) {
        commits += 1
        commitSeconds += duration
        for step in commit.endedSteps {
            steps[step.results, default: (0, 0)].count += 1
            steps[step.results, default: (0, 0)].seconds += step.seconds
        }
    }
}

/// One commit of several transitions, each of which can fail on its own.
struct GroupCommit {
    /// The path of the database, for error messages.
    let path: String
    let cache: RecordCache
    let identity: MasterIdentity
    let clock: @Sendable () -> Date
    let wanted: WantedEvents

    /// Notifies the callers, in order, after the commit.
    private(set) var outcomes: [@Sendable () -> Void] = []
    /// The events, in order.
    private(set) var events: [Event] = []
    /// The results of the steps that have ended, and how long they took.
    private(set) var endedSteps: [(results: Results, seconds: Double)] = []
    /// Why no further commit may follow: a posted transition failed, whose caller gets no error.
    private(set) var failure: StoreError?

    /// Runs all transitions and commits.
    ///
    /// - Throws: The error that fails the whole batch, in which case nothing is kept.
    mutating func run(_ batch: [Transition], in database: Database) throws {
        try database.run("BEGIN IMMEDIATE")
        do {
            for transition in batch {
                try run(transition, in: database)
            }
            try database.run("COMMIT")
        } catch {
            cache.removeAll()
            // After some errors, such as a full disk, SQLite has already rolled back.
            if database.isInsideTransaction { try database.run("ROLLBACK") }
            throw error
        }
    }

    private mutating func run(_ transition: Transition, in database: Database) throws {
        let transaction = StoreTransaction(
            database: database, now: clock(), cache: cache, identity: identity, wanted: wanted)
        try database.run("SAVEPOINT transition")
        do {
            let outcome = try transition.perform(transaction)
            try database.run("RELEASE transition")
            outcomes.append(outcome)
            events.append(contentsOf: transaction.events)
            endedSteps.append(contentsOf: transaction.endedSteps)
        } catch {
            try rollBack(transition, after: error, in: database)
        }
    }

    private mutating func rollBack(
        _ transition: Transition, after error: any Error, in database: Database
    ) throws {
        let failure = StoreError(error, at: path)
        guard !failure.stopsStore, database.isInsideTransaction else { throw failure }
        cache.removeAll()
        try database.run("ROLLBACK TO transition")
        try database.run("RELEASE transition")
        outcomes.append { transition.fail(failure) }
        if transition.isPosted, self.failure == nil { self.failure = failure }
    }
}

/// A closure for the writer, with callbacks for its commit and its failure.
struct Transition: Sendable {
    /// Changes records and returns a callback for the caller, to be called after the commit.
    let perform: @Sendable (StoreTransaction) throws -> @Sendable () -> Void
    /// Notifies the caller that none of the changes were kept.
    let fail: @Sendable (StoreError) -> Void
    /// Whether no caller waits for the outcome, so that a failure must stop the store.
    let isPosted: Bool
}
