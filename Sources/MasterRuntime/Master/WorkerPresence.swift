internal import FoundationEssentials
package import MasterKit
internal import Synchronization

/// A connection of a worker that its master knows of.
package struct WorkerTicket: Sendable {
    let id: Int
    let connection: Int
    let name: String
}

/// Notes which workers are there, and tells when one has been missing for too long.
final class WorkerPresence: Sendable {
    private struct Wait {
        let since: ContinuousClock.Instant
        let limit: Duration
        /// Ends when it has told, when the worker is back, or when the master ends.
        let task: Task<Void, Never>
        var hasTold = false
    }

    private struct State {
        /// The waits for workers that are not there, by id.
        var waits: [Int: Wait] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Calls a closure once, unless the worker is back before.
    ///
    /// If it is awaited already, another limit counts from the same time on.
    func await(_ id: Int, for limit: Duration, _ tell: @escaping @Sendable () async -> Void) {
        state.withLock { state in
            let wait = state.waits[id]
            guard !state.isClosed, wait?.limit != limit, wait?.hasTold != true else { return }
            wait?.task.cancel()
            let since = wait?.since ?? .now
            state.waits[id] = Wait(
                since: since, limit: limit,
                task: Task {
                    do {
                        try await Task.sleep(until: since + limit)
                    } catch {
                        return
                    }
                    guard beginTelling(id, limit) else { return }
                    await tell()
                })
        }
    }

    /// Whether the wait with a limit is the one that counts, and nobody has been told.
    private func beginTelling(_ id: Int, _ limit: Duration) -> Bool {
        state.withLock { state in
            guard let wait = state.waits[id], wait.limit == limit, !wait.hasTold else {
                return false
            }
            state.waits[id]?.hasTold = true
            return true
        }
    }

    /// A worker is back, or no longer wanted.
    func settle(_ id: Int) {
        state.withLock { $0.waits.removeValue(forKey: id) }?.task.cancel()
    }

    /// The ids of the workers that are awaited.
    var awaited: Set<Int> { state.withLock { Set($0.waits.keys) } }

    func close() {
        let waits = state.withLock { state in
            state.isClosed = true
            defer { state.waits = [:] }
            return Array(state.waits.values)
        }
        for wait in waits { wait.task.cancel() }
    }
}

extension Master {
    /// Notes that a worker has connected; builds may begin there from now on.
    ///
    /// - Returns: A ticket for ``workerDisconnected(_:reason:isIntended:)``; `nil` if the file has
    ///   no such worker.
    package func workerConnected(_ arrived: ConnectedWorker) async -> WorkerTicket? {
        let name = arrived.worker.name
        guard let (id, connection) = pool.connect(arrived) else { return nil }
        presence.settle(id)
        environment.logger.info("worker '\(name)' has connected")
        await publish(.workerConnected, id)
        submissions.distributor.changed.raise()
        return WorkerTicket(id: id, connection: connection, name: name)
    }

    /// Notes that the connection of a worker has ended; it is a warning unless the master ended it.
    package func workerDisconnected(
        _ ticket: WorkerTicket, reason: String, isIntended: Bool = false
    ) async {
        guard pool.disconnect(ticket.id, connection: ticket.connection) else { return }
        environment.logger.log(
            level: isIntended ? .info : .warning,
            "worker '\(ticket.name)' has disconnected: \(reason)")
        await publish(.workerDisconnected, ticket.id)
        // Others need no longer wait behind its builders.
        submissions.distributor.changed.raise()
        awaitWorkers()
    }

    /// The workers in the order of the file.
    package var workers: [WorkerState] { pool.states }

    /// Lets no further builds begin on a worker.
    ///
    /// It stays so when the master restarts.
    ///
    /// - Throws: ``ControlError`` if there is no such worker; ``StoreError``.
    package func pause(worker name: String, reason: String) async throws {
        try await setPause(reason, worker: name)
    }

    /// Lets builds begin on a worker again.
    ///
    /// - Throws: ``ControlError`` if there is no such worker; ``StoreError``.
    package func resume(worker name: String) async throws {
        try await setPause(nil, worker: name)
    }

    /// The most characters that are kept of the reason for a pause.
    private static let reasonLimit = 500

    private func setPause(_ reason: String?, worker name: String) async throws {
        let id = try worker(named: name).id
        // Masked first, as the end could cut through a secret.
        let masked = reason.map { reason in
            Masked(by: environment.mask) { String($0.apply(to: reason).prefix(Self.reasonLimit)) }
        }
        try await environment.store.write { try $0.pause(worker: id, reason: masked) }
        pool.pause(id, reason: masked?.value)
        await publish(.workerUpdated, id)
        submissions.distributor.changed.raise()
    }

    /// Has the process of a worker exit once its builds have ended, or at once: builds that it
    /// loses are made again.
    package func shutDown(
        worker name: String, isHurried: Bool = false
    ) async throws(ControlError) {
        let worker = try worker(named: name)
        guard !worker.isLocal else {
            throw ControlError(
                "'\(name)' is the master's own machine; use 'worker pause', or 'stop' for the master"
            )
        }
        guard worker.connectedAt != nil else {
            throw ControlError("the worker '\(name)' is not connected")
        }
        pool.stop(worker.id, isHurried: isHurried)
        await publish(.workerUpdated, worker.id)
        submissions.distributor.changed.raise()
    }

    private func worker(named name: String) throws(ControlError) -> WorkerState {
        let states = pool.states
        if let worker = states.first(where: { $0.name == name }) { return worker }
        let names = states.map(\.name)
        throw ControlError(
            "there is no worker '\(name)'; \(Suggestion.remedy(for: name, among: names))",
            isUsage: true)
    }

    // MARK: Configuration

    /// Follows the workers of the configuration in force.
    func followWorkers() async throws {
        let (store, file) = (environment.store, environment.configuration)
        guard options.usesWorkers, let workers = file.workers else {
            let (worker, slots) = (localWorker, localSlots)
            let (id, paused) = try await store.write {
                (try $0.worker(named: WorkerCheck.localName), try $0.pausedWorkers())
            }
            pool.follow(
                [.init(id: id, name: worker.name, slots: slots)],
                paused: isStanding ? paused : [:])
            return connectLocal(WorkerCheck.localName)
        }
        var declarations: [WorkerPool.Declaration] = []
        for worker in workers {
            let name = worker.name
            let id = try await store.write { try $0.worker(named: name) }
            let isLocal = worker.remote == nil
            declarations.append(
                .init(
                    id: id, name: name,
                    slots: worker.options.maxBuilds ?? (isLocal ? localSlots : 1),
                    properties: worker.options.properties,
                    defaults: worker.options.defaultProperties, isLocal: isLocal))
        }
        let paused = try await store.write { try $0.pausedWorkers() }
        pool.follow(declarations, paused: isStanding ? paused : [:])
        for worker in declarations where worker.isLocal { connectLocal(worker.name) }
        let ids = Set(declarations.map(\.id))
        for id in presence.awaited.subtracting(ids) { presence.settle(id) }
        awaitWorkers()
        submissions.distributor.changed.raise()
    }

    /// Whether workers stay paused; nobody could have a `run` resume them.
    private var isStanding: Bool { options.resumesRequests }

    /// The number of builds at a time on the master's machine.
    private var localSlots: Int { min(options.slots, ProcessLimits.builds) }

    private func connectLocal(_ name: String) {
        let worker = localWorker.named(name).withholding(environment.secrets.withheldVariables)
        if pool.states.contains(where: { $0.name == name && $0.connectedAt != nil }) {
            pool.replace(worker)
        } else {
            _ = pool.connect(ConnectedWorker(worker))
        }
    }

    /// Waits for the workers that are not connected.
    private func awaitWorkers() {
        let declared = environment.configuration.workers ?? []
        for worker in pool.states where worker.connectedAt == nil {
            guard let remote = declared.first(where: { $0.name == worker.name })?.remote else {
                continue
            }
            let (id, name, limit) = (worker.id, worker.name, remote.missingTimeout)
            presence.await(id, for: limit) { [weak self] in
                guard let self else { return }
                environment.logger.warning(
                    "worker '\(name)' has been missing for \(limit.inSeconds)")
                await publish(.workerMissing, id)
            }
        }
    }

    // MARK: Events

    private func publish(_ kind: EventKind, _ id: Int) async {
        guard let worker = pool.states.first(where: { $0.id == id }) else { return }
        let builders = environment.configuration.builders
        await environment.store.post { transaction in
            try transaction.append(kind, lane: 0) {
                let own = try transaction.builders().filter { worker.canRun(builders[$0.name]) }
                return worker.json.merging(worker.record(of: own.map(\.id)))
            }
        }
    }
}

extension WorkerState {
    /// Whether the worker is one of those of a builder.
    package func canRun(_ builder: BuilderConfiguration?) -> Bool {
        guard let builder else { return false }
        return builder.workerNames?.contains(name) ?? true
    }

    /// The worker in the data API's form, with the ids of the builders that can build there.
    package func record(of builders: [Int]) -> JSONObject {
        let info = ["access_uri", "admin", "host", "version"].map { ($0, details[$0] ?? .null) }
        return [
            "workerid": .int(id), "name": .string(name),
            "connected_to": connectedAt == nil ? [] : [["masterid": 1]],
            "configured_on": .array(builders.map { ["builderid": .int($0), "masterid": 1] }),
            "workerinfo": .object(JSONObject(info)), "paused": .bool(isPaused),
            "pause_reason": pauseReason.map { .string($0) } ?? .null,
            "graceful": .bool(isStopping),
        ]
    }

    /// The worker as the control socket tells it.
    package var json: JSONObject {
        [
            "workerid": .int(id), "name": .string(name), "paused": .bool(isPaused),
            "pause_reason": pauseReason.map { .string($0) } ?? .null,
            "graceful": .bool(isStopping), "max_builds": .int(slots),
            "connected": .bool(connectedAt != nil),
            "connected_at": connectedAt.map { .time($0) } ?? .null,
            "building": .array(building.map { .string($0) }), "workerinfo": .object(details),
        ]
    }
}
