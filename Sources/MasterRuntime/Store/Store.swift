internal import FoundationEssentials
internal import GRDB
public import MasterKit
internal import Synchronization

/// Persists builds, their requests, steps and logs, events, and queued reports.
///
/// Only one store can be open per folder. The folder is locked from
/// ``open(folder:durability:identity:clock:)`` until ``close()``, which must be called on every
/// store.
public final class Store: Sendable {
    /// The base folder, to which all paths in the store are relative.
    public let folder: String
    /// The store's unique identifier.
    public let identifier: String
    /// Whether the last master exited without closing the store, in which case builds may be
    /// unfinished.
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

    /// The events, published in order after their commit.
    public var events: EventBus { writer.events }

    /// The title and URL of the master, used in records from now on.
    var identity: MasterIdentity {
        get { writer.identity }
        set { writer.identity = newValue }
    }

    /// Why the store has stopped, or `nil` if it is working.
    public var failure: StoreError? { writer.failure }

    /// Waits until the store fails or is closed.
    public func waitForEnd() async {
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
