internal import Dispatch
internal import FoundationEssentials
internal import GRDB
internal import Glibc
internal import MasterKit
internal import Synchronization
internal import SystemPackage

/// Carries out transitions on a thread of its own, as many in a commit as are waiting.
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

    /// Why the store has stopped, `nil` while it works or when it was closed.
    var failure: StoreError? { ending.failure }

    /// The title and address of the master, which stand in records.
    var identity: MasterIdentity {
        get { names.withLock { $0 } }
        set { names.withLock { $0 = newValue } }
    }

    /// Says which kinds of events are kept from now on.
    func store(_ kinds: Set<EventKind>) {
        storedKinds.withLock { $0 = kinds }
    }

    /// Waits until the thread has carried out its last transition.
    func waitForEnd() async {
        await ending.wait()
    }

    /// Carries out transitions until the queue is closed or something fails for good.
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

    /// Takes the write-ahead log into the database and closes it, after the thread has ended.
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
            // All commits are kept: the log stays, and the next open takes it in.
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

/// One commit of many transitions, each of which can fail alone.
struct GroupCommit {
    /// The file, for sentences about it.
    let path: String
    let cache: RecordCache
    let identity: MasterIdentity
    let clock: @Sendable () -> Date
    let wanted: WantedEvents

    /// What tells the callers, in order, once the commit is done.
    private(set) var outcomes: [@Sendable () -> Void] = []
    /// What has happened, in order.
    private(set) var events: [Event] = []
    /// Why no further commit may follow: a transition failed whose caller does not hear of it.
    private(set) var failure: StoreError?

    /// Carries out all transitions and commits.
    ///
    /// - Throws: What makes the whole batch fail; nothing of it is kept then.
    mutating func run(_ batch: [Transition], in database: Database) throws {
        try database.run("BEGIN IMMEDIATE")
        do {
            for transition in batch {
                try run(transition, in: database)
            }
            try database.run("COMMIT")
        } catch {
            cache.removeAll()
            // SQLite has rolled back already after some errors, such as a full disk.
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

/// A closure for the writer, with what is to be done when it has been committed or has failed.
struct Transition: Sendable {
    /// Changes records; gives what tells the caller of it after the commit.
    let perform: @Sendable (StoreTransaction) throws -> @Sendable () -> Void
    /// Tells the caller that nothing of it was kept.
    let fail: @Sendable (StoreError) -> Void
    /// Whether nobody waits for the outcome, so that a failure has to stop the store.
    let isPosted: Bool
}

/// Sees to it that a power cut costs at most the commits of a second.
///
/// Commits go to the write-ahead log, which the system writes to the disk when it likes; so it is
/// asked to, a second after the first commit that it may not have written.
struct LogSync {
    private let path: FilePath
    private let isEnabled: Bool
    private let interval: DispatchTimeInterval
    private var file: OwnedDescriptor?

    /// When the next sync is due.
    private(set) var deadline = DispatchTime.distantFuture

    /// Watches the write-ahead log of a database; with full durability there is nothing to do.
    init(
        database path: String, durability: Durability,
        interval: DispatchTimeInterval = .seconds(1)
    ) {
        self.path = FilePath(path + "-wal")
        isEnabled = durability == .process
        self.interval = interval
    }

    /// Notes that something has been committed.
    mutating func noteCommit() {
        guard isEnabled, deadline == .distantFuture else { return }
        deadline = .now() + interval
    }

    /// Writes the commits to the disk when it is time to.
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

/// How the writer ended, and who waits for it.
final class StoreEnding: Sendable {
    private typealias Waiter = CheckedContinuation<Void, Never>

    private struct State {
        var failure: StoreError?
        var isFinished = false
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    /// The first failure.
    var failure: StoreError? { state.withLock(\.failure) }

    /// Notes a failure; the first one counts.
    func fail(_ error: StoreError) {
        state.withLock { state in
            if state.failure == nil { state.failure = error }
        }
    }

    /// Tells those who wait that nothing more is written.
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
