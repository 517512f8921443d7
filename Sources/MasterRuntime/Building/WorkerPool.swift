internal import MasterKit
internal import Synchronization

/// The workers of a master by name, each with slots for builds.
final class WorkerPool: Sendable {
    /// A slot of a worker, reserved for a build.
    struct Lease: Sendable {
        let worker: any Worker
        /// The id of the worker's row in the store.
        let workerID: Int
        let builder: String
    }

    private struct Member {
        var worker: any Worker
        let id: Int
        let slots: Int
        /// The builders that are currently building there.
        var building: Set<String> = []
        /// How many of these builds wait and need no slot.
        var suspendedCount = 0
        /// The builds whose wait is over, and that need a slot again, oldest first.
        var resuming: [(builder: String, continuation: CheckedContinuation<Void, Never>)] = []

        var hasFreeSlot: Bool { building.count - suspendedCount < slots }

        /// Gives a free slot to the build that has waited longest for one.
        mutating func resumeNext() -> CheckedContinuation<Void, Never>? {
            guard hasFreeSlot, !resuming.isEmpty else { return nil }
            suspendedCount -= 1
            return resuming.removeFirst().continuation
        }
    }

    private let members = Mutex<[Member]>([])

    /// Adds a worker.
    ///
    /// - Parameters:
    ///   - worker: The worker; its name is unique.
    ///   - id: The id of its row in the store.
    ///   - slots: The number of concurrent builds.
    func add(_ worker: any Worker, id: Int, slots: Int) {
        members.withLock { $0.append(Member(worker: worker, id: id, slots: slots)) }
    }

    /// Replaces the worker of the same name; running builds keep the old one.
    func replace(_ worker: any Worker) {
        members.withLock { members in
            for index in members.indices where members[index].worker.name == worker.name {
                members[index].worker = worker
            }
        }
    }

    /// Whether any worker can take another build.
    var hasFreeSlot: Bool {
        members.withLock { $0.contains(where: \.hasFreeSlot) }
    }

    /// Whether any worker runs no build of a builder, so that it could run one if it had a slot.
    func canRun(_ builder: String) -> Bool {
        members.withLock { $0.contains { !$0.building.contains(builder) } }
    }

    /// Whether any worker can run a build of a builder now.
    func canLease(for builder: String) -> Bool {
        members.withLock { members in
            members.contains { $0.hasFreeSlot && !$0.building.contains(builder) }
        }
    }

    /// Reserves a slot of the least loaded worker that can run a build of a builder now.
    func lease(for builder: String) -> Lease? {
        members.withLock { members in
            let free = members.indices.filter {
                members[$0].hasFreeSlot && !members[$0].building.contains(builder)
            }
            guard
                let index = free.min(by: { members[$0].building.count < members[$1].building.count }
                )
            else { return nil }
            members[index].building.insert(builder)
            return Lease(
                worker: members[index].worker, workerID: members[index].id, builder: builder)
        }
    }

    /// Releases a slot.
    func release(_ lease: Lease) {
        change(of: lease) { $0.building.remove(lease.builder) }
    }

    /// Releases the slot of a build while it waits; its builder still runs no other build there.
    func suspend(_ lease: Lease) {
        change(of: lease) { $0.suspendedCount += 1 }
    }

    /// Waits for a slot for a suspended build, which goes before builds that have not begun.
    ///
    /// A task that is cancelled does not wait: its build only ends, and must not be held up.
    func resume(_ lease: Lease) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = members.withLock { members in
                    guard let index = members.firstIndex(where: { $0.id == lease.workerID }) else {
                        return true
                    }
                    guard members[index].hasFreeSlot || Task.isCancelled else {
                        members[index].resuming.append((lease.builder, continuation))
                        return false
                    }
                    members[index].suspendedCount -= 1
                    return true
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            let waiting = members.withLock { members -> CheckedContinuation<Void, Never>? in
                guard let index = members.firstIndex(where: { $0.id == lease.workerID }),
                    let place = members[index].resuming.firstIndex(where: {
                        $0.builder == lease.builder
                    })
                else { return nil }
                members[index].suspendedCount -= 1
                return members[index].resuming.remove(at: place).continuation
            }
            waiting?.resume()
        }
    }

    private func change(of lease: Lease, _ body: (inout Member) -> Void) {
        let next = members.withLock { members -> CheckedContinuation<Void, Never>? in
            guard let index = members.firstIndex(where: { $0.id == lease.workerID }) else {
                return nil
            }
            body(&members[index])
            return members[index].resumeNext()
        }
        next?.resume()
    }
}
