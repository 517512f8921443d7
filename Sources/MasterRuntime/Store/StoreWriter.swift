internal import Dispatch
internal import FoundationEssentials
internal import GRDB
internal import Glibc
internal import MasterKit
internal import Synchronization
internal import SystemPackage

/// Runs transitions on a dedicated thread, batching all pending ones into one commit.
final class StoreWriter: Sendable {
    let pool: DatabasePool
    let queue = TransitionQueue()
    let events: EventBus
    private let names: Mutex<MasterIdentity>
    private let durability: Durability
    private let clock: @Sendable () -> Date
    private let storedKinds = Mutex<Set<EventKind>>([])
    private let ending = StoreEnding()
    private let isClosing = Atomic(false)
    private let closing = StoreEnding()

    init(
        pool: DatabasePool, events: EventBus, identity: MasterIdentity, durability: Durability,
        clock: @escaping @Sendable () -> Date
    ) {
        self.pool = pool
        self.events = events
        names = Mutex(identity)
        self.durability = durability
        self.clock = clock
    }

    /// Why the store has stopped, or `nil` if it is working or was closed.
    var failure: StoreError? { ending.failure }

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
        await ending.wait()
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
        ending.finish()
    }

    /// Checkpoints the write-ahead log and closes the database, after the thread has ended.
    func closeDatabase() async {
        guard !isClosing.exchange(true, ordering: .acquiringAndReleasing) else {
            return await closing.wait()
        }
        do {
            try await OwnThread.run { [pool] in
                try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
                try pool.close()
            }
        } catch {
            // No commit is lost: the log remains and is recovered when the store is next opened.
        }
        closing.finish()
    }

    private func commit(_ batch: [Transition], cache: RecordCache) {
        var commit = GroupCommit(
            path: pool.path, cache: cache, identity: identity, clock: clock,
            wanted: WantedEvents(stored: storedKinds.withLock { $0 }, live: events.wantedKinds))
        do {
            try pool.writeWithoutTransaction { database in
                try commit.run(batch, in: database)
            }
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
        ending.fail(error)
        queue.stop(with: error)
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

/// Limits what a power failure can lose to the commits of one second.
///
/// Commits go to the write-ahead log, which the system writes to disk at its own discretion. A sync
/// is therefore forced one second after the first commit that may not have been written.
struct LogSync {
    private let path: FilePath
    private let isEnabled: Bool
    private let interval: DispatchTimeInterval
    private var file: OwnedDescriptor?

    /// When the next sync is due.
    private(set) var deadline = DispatchTime.distantFuture

    /// Syncs the write-ahead log of a database; does nothing with full durability.
    init(
        database path: String, durability: Durability,
        interval: DispatchTimeInterval = .seconds(1)
    ) {
        self.path = FilePath(path + "-wal")
        isEnabled = durability == .process
        self.interval = interval
    }

    /// Schedules a sync after a commit.
    mutating func noteCommit() {
        guard isEnabled, deadline == .distantFuture else { return }
        deadline = .now() + interval
    }

    /// Syncs to disk if a sync is due.
    mutating func syncIfDue() throws {
        guard deadline <= .now() else { return }
        deadline = .distantFuture
        guard try fdatasync(openedLog().number) == 0 else { throw Errno(rawValue: errno) }
    }

    private mutating func openedLog() throws -> OwnedDescriptor {
        if let file { return file }
        let opened = OwnedDescriptor(
            try FileDescriptor.open(path, .readOnly, options: .closeOnExec))
        file = opened
        return opened
    }
}

/// The outcome of the writer, and the tasks waiting for its end.
final class StoreEnding: Sendable {
    private typealias Waiter = CheckedContinuation<Void, Never>

    private struct State {
        var failure: StoreError?
        var isFinished = false
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    var failure: StoreError? { state.withLock(\.failure) }

    /// Records a failure; only the first one is kept.
    func fail(_ error: StoreError) {
        state.withLock { state in
            if state.failure == nil { state.failure = error }
        }
    }

    /// Resumes all waiting tasks; nothing is written from now on.
    func finish() {
        let waiters = state.withLock { state in
            state.isFinished = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until nothing more is written.
    func wait() async {
        await withCheckedContinuation { waiter in
            let isFinished = state.withLock { state in
                if !state.isFinished { state.waiters.append(waiter) }
                return state.isFinished
            }
            if isFinished { waiter.resume() }
        }
    }
}
