package import FoundationEssentials
package import MasterKit
internal import Synchronization

/// A worker that has connected to a master.
package struct ConnectedWorker: Sendable {
    /// Runs commands as long as the connection lasts.
    package var worker: any Worker
    /// The folder of its builds on its machine; `nil` for the master's machine.
    package var basedir: String?
    /// What the worker says about itself.
    package var details: JSONObject
    /// Has the process of the worker exit.
    package var shutDown: @Sendable () async -> Void

    package init(
        _ worker: any Worker, basedir: String? = nil, details: JSONObject = [:],
        shutDown: @escaping @Sendable () async -> Void = {}
    ) {
        self.worker = worker
        self.basedir = basedir
        self.details = details
        self.shutDown = shutDown
    }
}

/// What a master knows of a worker.
package struct WorkerState: Sendable {
    package let id: Int
    package let name: String
    /// Whether it runs on the master's machine.
    package let isLocal: Bool
    /// The number of builds at a time.
    package let slots: Int
    /// When it connected, or `nil` if it is not connected.
    package let connectedAt: Date?
    /// What it says about itself, as of its last connection.
    package let details: JSONObject
    /// The builders that are building there.
    package let building: [String]
    /// Why no further builds begin there; `nil` if they do.
    package let pauseReason: String?
    /// Whether it exits once its builds have ended.
    package let isStopping: Bool

    /// Whether no further builds begin there.
    package var isPaused: Bool { pauseReason != nil }
}

/// Which of several free workers takes a build.
package enum WorkerChoice: String, SettingEnumeration {
    /// The one with the fewest builds for its slots.
    case leastLoaded
    /// The first one of the builder's list, or of the file.
    case first
    /// Any of them.
    case random
}

/// The workers of a master by name, each with slots for builds.
final class WorkerPool: Sendable {
    /// A slot of a worker, reserved for a build.
    struct Lease: Sendable {
        let worker: any Worker
        /// The id of the worker's row in the store.
        let workerID: Int
        let builder: String
        /// The folder of builds on another machine; `nil` on the master's.
        var basedir: String?
        /// Properties of builds on the worker.
        var properties = JSONObject()
        /// Properties that builds on the worker have unless they are set elsewhere.
        var defaults = JSONObject()
        /// What the worker says about itself.
        var details = JSONObject()
    }

    /// A worker as the configuration in force has it.
    struct Declaration: Sendable {
        let id: Int
        let name: String
        let slots: Int
        var properties = JSONObject()
        var defaults = JSONObject()
        var isLocal = true
    }

    private struct Member {
        var declaration: Declaration
        var connected: ConnectedWorker?
        /// When it connected, and the number of the connection, which no other one has.
        var connectedAt: Date?
        var connection = 0
        /// What it said about itself when it last connected.
        var details = JSONObject()
        var pauseReason: String?
        var isStopping = false
        /// Whether the configuration in force no longer has it.
        var isRemoved = false
        /// The builders that are currently building there.
        var building: Set<String> = []
        /// How many of these builds wait and need no slot.
        var suspendedCount = 0
        /// The builds whose wait is over, and that need a slot again, oldest first.
        var resuming: [(builder: String, continuation: CheckedContinuation<Void, Never>)] = []

        var hasFreeSlot: Bool { building.count - suspendedCount < declaration.slots }

        /// Whether builds may begin there.
        var isOpen: Bool { connected != nil && pauseReason == nil && !isStopping && !isRemoved }

        var state: WorkerState {
            WorkerState(
                id: declaration.id, name: declaration.name, isLocal: declaration.isLocal,
                slots: declaration.slots, connectedAt: connectedAt, details: details,
                building: building.sorted(), pauseReason: pauseReason, isStopping: isStopping)
        }

        /// Forgets the connection; builds that run there keep theirs.
        mutating func disconnect() {
            connected = nil
            connectedAt = nil
            isStopping = false
        }

        func canRun(_ builder: String, _ names: [String]?) -> Bool {
            !isRemoved && names?.contains(declaration.name) ?? true && !building.contains(builder)
        }

        /// Gives a free slot to the build that has waited longest for one.
        mutating func resumeNext() -> CheckedContinuation<Void, Never>? {
            guard hasFreeSlot, !resuming.isEmpty else { return nil }
            suspendedCount -= 1
            return resuming.removeFirst().continuation
        }

        /// What has the process exit, if it is to and has no more builds.
        mutating func shutDownIfIdle() -> (@Sendable () async -> Void)? {
            guard isStopping, building.isEmpty else { return nil }
            return connected?.shutDown
        }
    }

    private let members = Mutex<[Member]>([])
    /// The number of the last connection, also of workers that have been removed.
    private let lastConnection = Atomic(0)

    /// Follows the workers of a configuration; running builds keep theirs.
    ///
    /// - Parameters:
    ///   - declarations: The workers, in the order of the file.
    ///   - paused: Why no builds begin on some of them, by their ids.
    func follow(_ declarations: [Declaration], paused: [Int: String]) {
        members.withLock { members in
            let names = Set(declarations.map(\.name))
            for index in members.indices where !names.contains(members[index].declaration.name) {
                members[index].isRemoved = true
            }
            members.removeAll { $0.isRemoved && $0.building.isEmpty }
            for declaration in declarations {
                let known = members.firstIndex { $0.declaration.id == declaration.id }
                if let known {
                    if members[known].declaration.isLocal != declaration.isLocal {
                        members[known].disconnect()
                    }
                    members[known].declaration = declaration
                    members[known].isRemoved = false
                } else {
                    members.append(Member(declaration: declaration))
                }
            }
            let order = Dictionary(
                zip(declarations.map(\.id), 0...), uniquingKeysWith: { one, _ in one })
            members.sort { order[$0.declaration.id] ?? .max < order[$1.declaration.id] ?? .max }
            for index in members.indices {
                members[index].pauseReason = paused[members[index].declaration.id]
            }
        }
    }

    /// Replaces the worker of the same name; running builds keep the old one.
    func replace(_ worker: any Worker) {
        members.withLock { members in
            for index in members.indices where members[index].declaration.name == worker.name {
                members[index].connected?.worker = worker
            }
        }
    }

    // MARK: Connections

    /// Notes that a worker has connected.
    ///
    /// - Returns: Its id and the number of the connection; `nil` if there is no such worker.
    func connect(_ arrived: ConnectedWorker) -> (id: Int, connection: Int)? {
        members.withLock { members in
            guard
                let index = members.firstIndex(where: {
                    $0.declaration.name == arrived.worker.name && !$0.isRemoved
                })
            else { return nil }
            members[index].connected = arrived
            members[index].connectedAt = Date()
            members[index].connection = lastConnection.add(1, ordering: .relaxed).newValue
            members[index].details = arrived.details
            members[index].isStopping = false
            return (members[index].declaration.id, members[index].connection)
        }
    }

    /// Notes that a connection has ended.
    ///
    /// - Returns: Whether it was the worker's last one.
    func disconnect(_ id: Int, connection: Int) -> Bool {
        members.withLock { members in
            guard let index = members.firstIndex(where: { $0.declaration.id == id }),
                members[index].connection == connection, members[index].connected != nil
            else { return false }
            members[index].disconnect()
            return true
        }
    }

    /// All workers, in the order of the file.
    var states: [WorkerState] {
        members.withLock { $0.filter { !$0.isRemoved }.map(\.state) }
    }

    /// Lets no further builds begin on a worker for a reason, or with `nil` lets them.
    func pause(_ id: Int, reason: String?) {
        change(where: { $0.declaration.id == id }) { $0.pauseReason = reason }
    }

    /// Has a worker exit once its builds have ended, or at once, so that they are lost.
    func stop(_ id: Int, isHurried: Bool) {
        change(where: { $0.declaration.id == id }) { $0.isStopping = true }
        let shutDown = members.withLock { members in
            members.first { $0.declaration.id == id && !$0.building.isEmpty }?.connected?.shutDown
        }
        // Ends when the worker has the message.
        if isHurried, let shutDown { Task { await shutDown() } }
    }

    // MARK: Slots

    /// Whether any worker can take another build.
    var hasFreeSlot: Bool {
        members.withLock { $0.contains { $0.isOpen && $0.hasFreeSlot } }
    }

    /// What a builder waits for apart from a slot, or `nil`.
    func reasonToWait(_ builder: String, among names: [String]?) -> String? {
        members.withLock { members in
            let all = members.filter {
                !$0.isRemoved && names?.contains($0.declaration.name) ?? true
            }
            if all.contains(where: { $0.isOpen && !$0.building.contains(builder) }) { return nil }
            if all.contains(where: \.isOpen) { return "its previous build" }
            let words = Self.absence(of: all)
            return words.isEmpty ? "a worker" : "a worker: \(words)"
        }
    }

    /// Why none of some workers can take builds, or `nil` if one of them can.
    func absence(of names: [String]?) -> String? {
        members.withLock { members in
            let all = members.filter {
                !$0.isRemoved && names?.contains($0.declaration.name) ?? true
            }
            return all.contains(where: \.isOpen) ? nil : Self.absence(of: all)
        }
    }

    private static func absence(of members: [Member]) -> String {
        members.map { member in
            "'\(member.declaration.name)' "
                + (member.connected == nil
                    ? "is not connected" : member.isStopping ? "is stopping" : "is paused")
        }.joined(separator: ", ")
    }

    /// The workers that can run a build of a builder now, the best one first.
    ///
    /// - Parameters:
    ///   - builder: The builder.
    ///   - names: The workers that may run it; `nil` for all.
    ///   - choice: Which ones are better.
    /// - Returns: Their names.
    func free(
        for builder: String, among names: [String]?, _ choice: WorkerChoice
    ) -> [String] {
        members.withLock { members in
            let free = members.filter {
                $0.isOpen && $0.hasFreeSlot && $0.canRun(builder, names)
            }.map { member in
                (
                    name: member.declaration.name,
                    load: Double(member.building.count) / Double(member.declaration.slots)
                )
            }
            guard free.count > 1 else { return free.map(\.name) }
            switch choice {
            case .leastLoaded: return free.sorted { $0.load < $1.load }.map(\.name)
            case .first: return names?.filter(free.map(\.name).contains) ?? free.map(\.name)
            case .random: return free.map(\.name).shuffled()
            }
        }
    }

    /// Reserves a slot of a worker for a build of a builder.
    ///
    /// - Returns: The slot, or `nil` if the worker has none for it now.
    func lease(for builder: String, on worker: String) -> Lease? {
        members.withLock { members in
            let index = members.firstIndex {
                $0.isOpen && $0.hasFreeSlot && $0.canRun(builder, [worker])
            }
            guard let index, let connected = members[index].connected else { return nil }
            members[index].building.insert(builder)
            return Lease(
                worker: connected.worker, workerID: members[index].declaration.id, builder: builder,
                basedir: connected.basedir, properties: members[index].declaration.properties,
                defaults: members[index].declaration.defaults, details: connected.details)
        }
    }

    /// Releases a slot.
    func release(_ lease: Lease) {
        change(of: lease) { $0.building.remove(lease.builder) }
        members.withLock { $0.removeAll { $0.isRemoved && $0.building.isEmpty } }
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
                    guard
                        let index = members.firstIndex(where: {
                            $0.declaration.id == lease.workerID
                        })
                    else {
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
                guard
                    let index = members.firstIndex(where: { $0.declaration.id == lease.workerID }),
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
        change(where: { $0.declaration.id == lease.workerID }, body)
    }

    private func change(where fits: (Member) -> Bool, _ body: (inout Member) -> Void) {
        typealias Next = (CheckedContinuation<Void, Never>?, (@Sendable () async -> Void)?)
        let (next, shutDown) = members.withLock { members -> Next in
            guard let index = members.firstIndex(where: fits) else { return (nil, nil) }
            body(&members[index])
            return (members[index].resumeNext(), members[index].shutDownIfIdle())
        }
        next?.resume()
        // Ends when the worker has the message.
        if let shutDown { Task { await shutDown() } }
    }
}
