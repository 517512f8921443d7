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
        members.withLock { $0.contains { $0.building.count < $0.slots } }
    }

    /// Reserves a slot of the least loaded worker that can run a build of a builder now.
    func lease(for builder: String) -> Lease? {
        members.withLock { members in
            let free = members.indices.filter {
                members[$0].building.count < members[$0].slots
                    && !members[$0].building.contains(builder)
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
        members.withLock { members in
            guard let index = members.firstIndex(where: { $0.id == lease.workerID }) else { return }
            members[index].building.remove(lease.builder)
        }
    }
}
