internal import FoundationEssentials
internal import GRDB
internal import MasterKit

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
            database: database,
            now: clock(),
            cache: cache,
            identity: identity,
            wanted: wanted
        )
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
        _ transition: Transition,
        after error: any Error,
        in database: Database
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
