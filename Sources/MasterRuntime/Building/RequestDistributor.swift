internal import MasterKit
internal import ServiceLifecycle
internal import Synchronization

/// Assigns pending build requests to free worker slots, and stops running builds.
///
/// The requests themselves are stored as rows; this only holds the order in which they are built. A
/// builder runs at most one build per worker at a time.
final class RequestDistributor: Sendable {
    /// How often a build that ends with retry is run again.
    static let maximumRetries = 2

    private struct Assignment: Sendable {
        let request: Pending
        let running: Running
        let builder: BuilderConfiguration
        let environment: BuildEnvironment
    }

    let state = Mutex(State())
    let changed = Signal()
    private let ended = Signal()
    let pool: WorkerPool
    /// Whether builders choose among the workers of the file.
    let usesWorkers: Bool
    let store: Store
    /// Whether requests that are still pending at shutdown are left to the next master.
    private let leavesRequests: Bool
    private let configuration: RunningConfiguration

    init(
        store: Store, pool: WorkerPool, configuration: RunningConfiguration, leavesRequests: Bool,
        usesWorkers: Bool = false
    ) {
        self.store = store
        self.pool = pool
        self.configuration = configuration
        self.leavesRequests = leavesRequests
        self.usesWorkers = usesWorkers
    }

    /// The builders in force, with their locks.
    var builders: BuilderTable { configuration.current.configuration.builders }

    /// The names of the workers that may run the build of a request; `nil` for all.
    func workerNames(of builder: BuilderConfiguration, for request: Pending) -> [String]? {
        guard usesWorkers else { return nil }
        guard let worker = request.worker else { return builder.workerNames }
        return builder.workerNames?.contains(worker) ?? true ? [worker] : []
    }

    /// Whether a worker that may run the build of a request is there.
    func hasWorker(of builder: BuilderConfiguration, for request: Pending) -> Bool {
        pool.absence(of: workerNames(of: builder, for: request)) == nil
    }

    /// Whether the running build of a request counts for nothing but itself.
    func isUnimportant(_ request: Int) -> Bool {
        state.withLock { $0.running[request]?.isUnimportant ?? false }
    }

    /// Enqueues requests; if builds have been stopped, cancels them or leaves them to the next master.
    func add(_ requests: [Pending]) async {
        let lost = state.withLock { state -> [Pending]? in
            guard !state.isClosed, state.stopReason == nil else { return nil }
            // Read here, so that a request is refused or seen by followConfiguration().
            let builders = builders
            for request in requests where builders[request.builder] != nil { state.add(request) }
            return requests.filter { builders[$0.builder] == nil }
        }
        if let lost {
            changed.raise()
            await cancelForBuilders(lost)
        } else if leavesRequests {
            for request in requests { request.progress?.end() }
        } else {
            await cancel(requests)
        }
    }

    /// Runs builds until the master shuts down. Running builds are then stopped, and pending
    /// requests are cancelled or left to the next master.
    ///
    /// - Parameter submissions: Accepts the requests of steps.
    func run(for submissions: Submissions) async {
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withDiscardingTaskGroup { group in
                    while let assignment = await next() {
                        group.addTask { await self.build(assignment, submissions) }
                    }
                    await leavesRequests ? forgetPending() : cancelPending()
                }
            } onGracefulShutdown: {
                self.close()
            }
        } onCancel: {
            close()
        }
    }

    private func close() {
        let controls = state.withLock { state in
            state.isClosed = true
            state.stopReason = state.stopReason ?? Self.endReason
            return state.running.values.map(\.control)
        }
        for control in controls {
            if leavesRequests, control.stopReason == nil {
                control.interrupt(Self.endReason)
            } else {
                control.end(Self.endReason)
            }
        }
        changed.raise()
    }

    private static let endReason = "master stopped"

    // MARK: Ending

    /// Begins no further builds, except those that a running build waits for.
    func hold() {
        state.withLock { $0.isHeld = true }
    }

    /// Whether no further builds begin.
    var isHeld: Bool { state.withLock(\.isHeld) }

    /// Ends the running builds as retry; a second call also stops alwaysRun steps.
    func interrupt() {
        let controls = state.withLock { $0.running.values.map(\.control) }
        for control in controls { control.interrupt(Self.endReason) }
    }

    /// Waits until no build is running, at most until a given time.
    ///
    /// - Returns: Whether none is.
    func waitForEnd(until moment: Duration, on clock: ElapsedClock) async -> Bool {
        while !state.withLock(\.running.isEmpty) {
            guard clock.elapsed < moment else { return false }
            await ended.wait(until: moment, on: clock)
        }
        return true
    }

    /// Waits until no build is running, or it is enough, which is asked again after
    /// ``reconsiderWait()``.
    func waitForEnd(unless isEnough: () -> Bool) async {
        while !state.withLock(\.running.isEmpty), !isEnough(), !Task.isCancelled {
            await ended.wait()
        }
    }

    /// Has ``waitForEnd(unless:)`` ask again.
    func reconsiderWait() { ended.raise() }

    /// Stops all running builds and cancels all pending requests.
    ///
    /// A second call also stops alwaysRun steps.
    func stop(reason: String) async {
        let controls = state.withLock { state in
            state.stopReason = reason
            return state.running.values.map(\.control)
        }
        for control in controls { control.stop(reason) }
        await cancelPending()
    }

    /// Changes the priority of a pending request.
    func change(_ request: Int, priority: Int) {
        state.withLock { state in
            state.queue.change(request, priority: priority)
            for index in state.waiting.indices where state.waiting[index].id == request {
                state.waiting[index].priority = priority
            }
        }
        changed.raise()
    }

    // MARK: Matching

    private func next() async -> Assignment? {
        while true {
            if let assignment = match() { return assignment }
            if state.withLock(\.isClosed) || Task.isCancelled { return nil }
            await changed.wait()
        }
    }

    /// The first request whose builder exists, for which a worker is free, and that can have its
    /// locks.
    private func match() -> Assignment? {
        let environment = configuration.current
        let builders = environment.configuration.builders
        var unused: WorkerPool.Lease?
        let (assignment, admitted) = state.withLock { state -> (Assignment?, [WaitingStep]) in
            guard !state.isClosed, state.stopReason == nil else { return (nil, []) }
            let hasChanged = state.forgetIdleBuilders(builders, hasWorker: hasWorker)
            let assignment = self.assignment(&state, environment, unused: &unused)
            return (assignment, hasChanged ? state.admitSteps(builders) : [])
        }
        if let unused { pool.release(unused) }
        for step in admitted { step.resume() }
        return assignment
    }

    /// Only asks the pool and the configuration, which call nobody.
    ///
    /// A change of the configuration in between is followed by another match.
    private func assignment(
        _ state: inout State, _ environment: BuildEnvironment, unused: inout WorkerPool.Lease?
    ) -> Assignment? {
        let builders = environment.configuration.builders
        var passed: [Pending] = []
        defer { for request in passed { state.queue.putBack(request) } }
        while pool.hasFreeSlot, let request = state.queue.takeFirst() {
            passed.append(request)
            guard state.admits(request), let builder = builders[request.builder] else { continue }
            let workers = workerNames(of: builder, for: request)
            let free = pool.free(for: builder.name, among: workers, builder.nextWorker)
            let chosen =
                request.skipReason != nil
                ? free.first : state.takeLocks(of: builder, for: request, on: free, builders)
            guard let chosen else { continue }
            // A build that has waited may have got the slot since.
            guard let lease = pool.lease(for: builder.name, on: chosen) else {
                state.locks.release(of: request.id)
                continue
            }
            guard configuration.beginBuild(with: environment) else {
                state.locks.release(of: request.id)
                unused = lease
                return nil
            }
            passed.removeLast()
            state.queue.remove(request)
            let running = Running(
                builder: request.builder, control: BuildControl(), lease: lease,
                isUnimportant: request.isUnimportant)
            state.running[request.id] = running
            return Assignment(
                request: request, running: running, builder: builder, environment: environment)
        }
        return nil
    }

    // MARK: Building

    private func build(_ assignment: Assignment, _ submissions: Submissions) async {
        let request = assignment.request
        let control = assignment.running.control
        do throws(StoreError) {
            let runner = BuildRunner(
                requestID: request.id, builder: assignment.builder, lease: assignment.running.lease,
                shared: assignment.environment, control: control,
                isAwaited: request.parent != nil, submissions: submissions,
                steps: request.steps, skipReason: request.skipReason)
            // Without a build, another request has taken the place of this one meanwhile.
            var finished = try await runner.run()
            finished?.isUnimportant = request.isUnimportant
            if let finished { request.progress?.add(finished) }
            let isRetried = finished?.isRetried ?? false
            if !isRetried { release(by: [request], finished?.build.results ?? .skipped) }
            await finish(assignment, isRetried: isRetried)
            if !isRetried { request.progress?.end() }
        } catch {
            release(by: [request], nil)
            await finish(assignment, isRetried: false)
            request.progress?.end(error)
        }
        // May wait for plugins to stop, which holds up nobody any more.
        await configuration.endBuild(with: assignment.environment)
    }

    /// Starts or skips requests that were waiting for some that have finished.
    private func release(by ended: [Pending], _ results: Results?) {
        state.withLock { state in
            guard !state.waiting.isEmpty else { return }
            let builders = Dictionary(
                ended.map { ($0.id, $0.builder) }, uniquingKeysWith: { one, _ in one })
            let waiting = state.waiting
            state.waiting = []
            for var request in waiting {
                for id in request.needs {
                    guard let builder = builders[id] else { continue }
                    request.needs.remove(id)
                    request.skipReason = Self.skipReason(of: builder, results)
                }
                state.add(request)
            }
        }
    }

    private func finish(_ assignment: Assignment, isRetried: Bool) async {
        let request = assignment.request
        pool.release(assignment.running.lease)
        // Builds that are stopped from now on include the new one of a request that is retried.
        let isQueued = state.withLock { state in
            state.running[request.id] = nil
            state.locks.release(of: request.id)
            let isQueued =
                isRetried && !state.isClosed && state.stopReason == nil
                && builders[request.builder] != nil
            if isQueued { state.add(request) } else if !isRetried { state.end(request) }
            return isQueued
        }
        if isRetried, !isQueued { await add([request]) }
        ended.raise()
        reconsiderLocks()
    }

    /// Removes requests that the store has finished, as others are built in their place. One that
    /// has been assigned to a worker ends when its build can't begin.
    func forget(collapsed ids: [Int]) {
        guard !ids.isEmpty else { return }
        let ids = Set(ids)
        let gone = state.withLock { state in
            let gone = state.removePending { ids.contains($0.id) }
            for request in gone { state.end(request) }
            return gone
        }
        release(by: gone, .skipped)
        for request in gone { request.progress?.end() }
        reconsiderLocks()
    }

    // MARK: Cancelling

    private func cancelPending() async {
        await cancel(state.withLock { $0.removeAll() })
    }

    private func forgetPending() {
        let pending = state.withLock { $0.removeAll() }
        reconsiderLocks()
        for request in pending { request.progress?.end() }
    }

    /// Cancels requests of builders that the configuration in force no longer has, and stops builds
    /// that would wait for themselves with its locks.
    ///
    /// - Returns: How many were cancelled, by the names of the builders.
    func followConfiguration() async -> [String: Int] {
        let lost = state.withLock { state in
            let builders = builders
            return state.removePending { builders[$0.builder] == nil }
        }
        await cancelForBuilders(lost)
        stopDeadlocks()
        reconsiderLocks()
        return Dictionary(grouping: lost, by: \.builder).mapValues(\.count)
    }

    /// Cancels requests whose builders do not exist any more.
    private func cancelForBuilders(_ lost: [Pending]) async {
        let lost = Dictionary(grouping: lost, by: \.builder)
        for (builder, requests) in lost.sorted(by: { $0.key < $1.key }) {
            let reason = "master.yaml no longer has the builder '\(builder)'"
            let count = requests.count
            configuration.current.logger.warning(
                "cancelled \(count) build \(count == 1 ? "request" : "requests"): \(reason)")
            await cancel(requests, reason)
        }
    }

    /// Cancels pending requests in one transaction; requests that need them are skipped.
    func cancel(_ requests: [Pending], _ reason: String? = nil) async {
        guard !requests.isEmpty else { return }
        let outcome: StoreError?
        do throws(StoreError) {
            try await store.write { transaction in
                for request in requests { try transaction.cancelRequest(request.id) }
            }
            outcome = nil
        } catch {
            outcome = error
        }
        state.withLock { state in
            for request in requests { state.end(request) }
        }
        release(by: requests, .cancelled)
        // Also for those that needed them, and that are skipped now.
        reconsiderLocks()
        for request in requests { request.progress?.end(outcome, cancelling: request.id, reason) }
    }
}
