import DequeModule
import Synchronization

/// Limits the number of bytes that one reporter's reports occupy in memory at once.
///
/// Reports wait in the store. A report is in memory while it is generated and while it is sent; one
/// that is larger than the limit is in memory alone.
final class ReportMemory: Sendable {
    /// The limit in bytes: 16 MiB.
    static let byteLimit = 16 << 20

    private struct Waiter {
        let id: Int
        let byteCount: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var used = 0
        var nextID = 0
        var waiters: Deque<Waiter> = []

        /// Admits those that have waited longest, as long as there is room.
        mutating func admit() -> [Waiter] {
            var admitted: [Waiter] = []
            while let first = waiters.first, hasRoom(for: first.byteCount) {
                used += first.byteCount
                admitted.append(waiters.removeFirst())
            }
            return admitted
        }

        func hasRoom(for byteCount: Int) -> Bool {
            used == 0 || used + byteCount <= ReportMemory.byteLimit
        }
    }

    private let state = Mutex(State())

    /// The number of bytes in use.
    var used: Int { state.withLock(\.used) }

    /// Runs a closure that keeps a report in memory, once there is room for it.
    ///
    /// - Throws: Any error thrown by `body`, or `CancellationError` if the task is cancelled
    ///   meanwhile.
    func withRoom<Value>(
        for byteCount: Int, _ body: () async throws -> Value
    ) async throws -> Value {
        guard await take(byteCount) else { throw CancellationError() }
        defer { give(byteCount) }
        return try await body()
    }

    /// Waits for room; `false` if the task is cancelled meanwhile.
    fileprivate func take(_ byteCount: Int) async -> Bool {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.waiters.isEmpty, state.hasRoom(for: byteCount) {
                        state.used += byteCount
                        return true
                    }
                    state.waiters.append(
                        Waiter(id: id, byteCount: byteCount, continuation: continuation))
                    return nil
                }
                if let isOver { continuation.resume(returning: isOver) }
            }
        } onCancel: {
            let (waiter, admitted) = state.withLock { state in
                let place = state.waiters.firstIndex { $0.id == id }
                let waiter = place.map { state.waiters.remove(at: $0) }
                return (waiter, state.admit())
            }
            waiter?.continuation.resume(returning: false)
            for waiter in admitted { waiter.continuation.resume(returning: true) }
        }
    }

    /// Takes room without waiting, for a report that grows while it is in memory.
    fileprivate func grow(_ byteCount: Int) {
        state.withLock { $0.used += byteCount }
    }

    fileprivate func give(_ byteCount: Int) {
        let admitted = state.withLock { state in
            state.used -= byteCount
            return state.admit()
        }
        for waiter in admitted { waiter.continuation.resume(returning: true) }
    }
}

/// The room that a report takes while it is generated; its final size is not known in advance.
///
/// It waits only for its first part: two reports that each waited for more could deadlock.
final class ReportRoom: Sendable {
    private let memory: ReportMemory
    private let taken = Mutex(0)

    init(in memory: ReportMemory) {
        self.memory = memory
    }

    /// Takes room for a part of the report.
    ///
    /// - Throws: `CancellationError` if the task is cancelled meanwhile.
    func take(_ byteCount: Int) async throws {
        guard byteCount > 0 else { return }
        if taken.withLock({ $0 }) > 0 {
            memory.grow(byteCount)
        } else {
            guard await memory.take(byteCount) else { throw CancellationError() }
        }
        taken.withLock { $0 += byteCount }
    }

    /// Releases all of the room, once the report is stored.
    func giveBack() {
        let byteCount = taken.withLock { taken in
            defer { taken = 0 }
            return taken
        }
        if byteCount > 0 { memory.give(byteCount) }
    }
}
