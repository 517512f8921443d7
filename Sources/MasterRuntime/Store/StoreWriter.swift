internal import Dispatch
internal import FoundationEssentials
internal import GRDB
internal import MasterKit
internal import Synchronization

/// Carries out transitions on a thread of its own, as many in a commit as are waiting.
final class StoreWriter: Sendable {
    let pool: DatabasePool
    let queue = TransitionQueue()
    let events: EventBus
    let identity: MasterIdentity
    private let durability: Durability
    private let clock: @Sendable () -> Date
    private let storedKinds = Mutex<Set<EventKind>>([])
    private let ending = StoreEnding()
    private let isClosing = Atomic(false)
    private let closing = StoreEnding()

    init(
        pool: DatabasePool,
        events: EventBus,
        identity: MasterIdentity,
        durability: Durability,
        clock: @escaping @Sendable () -> Date
    ) {
        self.pool = pool
        self.events = events
        self.identity = identity
        self.durability = durability
        self.clock = clock
    }

    /// Why the store has stopped, `nil` while it works or when it was closed.
    var failure: StoreError? { ending.failure }

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
            path: pool.path,
            cache: cache,
            identity: identity,
            clock: clock,
            wanted: WantedEvents(
                stored: storedKinds.withLock { $0 },
                live: events.wantedKinds
            )
        )
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
