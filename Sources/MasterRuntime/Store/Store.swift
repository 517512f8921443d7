internal import FoundationEssentials
internal import GRDB
package import MasterKit
internal import Synchronization

/// Keeps what happens: builds, their requests, steps and logs, events, and reports to be sent.
///
/// A folder has one store at a time; it is held from ``open(folder:durability:identity:clock:)``
/// until ``close()``, which every store has to come to.
public final class Store: Sendable {
    /// The folder, the base of all paths in the store.
    public let folder: String
    /// A name that no other store has.
    public let identifier: String
    /// Whether the last master ended without closing the store, so that builds may lack an end.
    public let endedUncleanly: Bool

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

    /// What happens, once it is committed, in order.
    package var events: EventBus { writer.events }

    /// The title and address of the master, which stand in records from now on.
    var identity: MasterIdentity {
        get { writer.identity }
        set { writer.identity = newValue }
    }

    /// Why nothing is stored any more, `nil` while all is well.
    public var failure: StoreError? { writer.failure }

    /// Waits until the store has failed or has been closed.
    public func waitForEnd() async {
        await writer.waitForEnd()
    }

    /// An id for a step, so that it can be named before it is committed.
    func makeStepID() -> Int { stepIDs.add(1, ordering: .relaxed).newValue }

    /// An id for a log, so that it can be named before it is committed.
    func makeLogID() -> Int { logIDs.add(1, ordering: .relaxed).newValue }

    /// Keeps the events of some kinds, and no others, from now on.
    func storeEvents(of kinds: Set<EventKind>) {
        writer.store(kinds)
    }

    /// Carries out a transition and returns after its commit.
    ///
    /// The closure runs on the writer's thread and must not wait for anything. When it throws,
    /// nothing of it is kept.
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

    /// Hands a transition over and returns, usually before its commit.
    ///
    /// Transitions of one task are carried out in order, posted and awaited ones alike. While
    /// ``TransitionQueue/bound`` transitions wait, the caller does too. One that fails stops the
    /// store, as nobody would hear of it; see ``failure``.
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

    /// Reads what has been committed, beside the writer and off the cooperative pool.
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

    /// Commits what waits, notes that nothing was interrupted, and gives the folder free.
    ///
    /// Later transitions fail; subscriptions to ``events`` end.
    public func close() async {
        if failure == nil {
            await post { transaction in
                try transaction.trim()
                try transaction.database.run("UPDATE meta SET clean = 1")
            }
        }
        writer.queue.close(with: StoreError(.closed, "the store of \(folder) has been closed"))
        await writer.waitForEnd()
        await writer.closeDatabase()
        events.finish()
        lock.release()
    }
}
