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

    /// A build that has been assigned to a worker.
    struct Running: Sendable {
        let builder: String
        let control: BuildControl
        let lease: WorkerPool.Lease
        /// The unfinished requests that a step of the build waits for, with their builders.
        var children: [Int: String] = [:]
        /// Whether its result counts for nothing but itself.
        var isUnimportant = false
        /// The number of waits during which the build needs no slot.
        var waitCount = 0
    }

    struct State {
        var queue = PendingQueue()
        /// The requests that wait for others to finish.
        var waiting: [Pending] = []
        /// The running builds by their requests.
        var running: [Int: Running] = [:]
        var locks = LockTable()
        var stopReason: String?
        /// Whether only builds begin that a running build waits for.
        var isHeld = false
        var isClosed = false

        /// Removes and returns the requests for which no build has been started.
        mutating func removeAll() -> [Pending] {
            defer { waiting = [] }
            return queue.removeAll() + waiting
        }

        /// Adds a request whose parent waits for it from now on.
        mutating func add(_ request: Pending) {
            if let parent = request.parent {
                running[parent]?.children[request.id] = request.builder
            }
            if request.needs.isEmpty || request.skipReason != nil {
                queue.add(request)
            } else {
                waiting.append(request)
            }
        }

        /// Notes that a request has ended.
        mutating func end(_ request: Pending) {
            if let parent = request.parent { running[parent]?.children[request.id] = nil }
        }
    }

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
    private let store: Store
    /// Whether requests that are still pending at shutdown are left to the next master.
    private let leavesRequests: Bool
    private let configuration: RunningConfiguration

    init(
        store: Store, pool: WorkerPool, configuration: RunningConfiguration, leavesRequests: Bool
    ) {
        self.store = store
        self.pool = pool
        self.configuration = configuration
        self.leavesRequests = leavesRequests
    }

    /// The builders in force, with their locks.
    var builders: BuilderTable { configuration.current.configuration.builders }

    /// Whether the running build of a request counts for nothing but itself.
    func isUnimportant(_ request: Int) -> Bool {
        state.withLock { $0.running[request]?.isUnimportant ?? false }
    }

    /// Enqueues requests; if builds have been stopped, cancels them or leaves them to the next master.
    func add(_ requests: [Pending]) async {
        let isClosed = state.withLock { state in
            let isClosed = state.isClosed || state.stopReason != nil
            guard !isClosed else { return true }
            for request in requests { state.add(request) }
            return false
        }
        guard isClosed else { return changed.raise() }
        guard !leavesRequests else {
            for request in requests { request.progress?.end() }
            return
        }
        for request in requests { await cancel(request) }
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
            if leavesRequests {
                control.interrupt(Self.endReason)
            } else {
                control.stop(Self.endReason)
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
        let builders = builders
        let (assignment, admitted) = state.withLock { state -> (Assignment?, [WaitingStep]) in
            guard !state.isClosed, state.stopReason == nil else { return (nil, []) }
            let hasChanged = state.forgetIdleBuilders(builders)
            let assignment = self.assignment(&state, builders)
            return (assignment, hasChanged ? state.admitSteps(builders) : [])
        }
        for step in admitted { step.resume() }
        return assignment
    }

    private func assignment(_ state: inout State, _ builders: BuilderTable) -> Assignment? {
        var passed: [Pending] = []
        defer { for request in passed { state.queue.putBack(request) } }
        while pool.hasFreeSlot, let request = state.queue.takeFirst() {
            guard !state.isHeld || request.parent != nil, let builder = builders[request.builder],
                let lease = pool.lease(for: request.builder)
            else {
                passed.append(request)
                continue
            }
            guard request.skipReason != nil || state.takeLocks(of: builder, for: request, builders)
            else {
                pool.release(lease)
                passed.append(request)
                continue
            }
            state.queue.remove(request)
            let running = Running(
                builder: request.builder, control: BuildControl(), lease: lease,
                isUnimportant: request.isUnimportant)
            state.running[request.id] = running
            let environment = configuration.beginBuild()
            return Assignment(
                request: request, running: running,
                builder: environment.configuration.builders[request.builder] ?? builder,
                environment: environment)
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
                mayRetry: request.retries < Self.maximumRetries,
                isAwaited: request.parent != nil, submissions: submissions,
                steps: request.steps, skipReason: request.skipReason)
            var finished = try await runner.run()
            finished.isUnimportant = request.isUnimportant
            await configuration.endBuild(with: assignment.environment)
            request.progress?.add(finished)
            if !finished.isRetried { release(by: request, finished.build.results) }
            await finish(assignment, isRetried: finished.isRetried)
            if !finished.isRetried { request.progress?.end() }
        } catch {
            await configuration.endBuild(with: assignment.environment)
            release(by: request, nil)
            await finish(assignment, isRetried: false)
            request.progress?.end(error)
        }
    }

    /// Starts or skips requests that were waiting for one that has finished.
    private func release(by ended: Pending, _ results: Results?) {
        state.withLock { state in
            let waiting = state.waiting
            state.waiting = []
            for var request in waiting {
                if request.needs.remove(ended.id) != nil {
                    request.skipReason = Self.skipReason(of: ended.builder, results)
                }
                state.add(request)
            }
        }
    }

    private func finish(_ assignment: Assignment, isRetried: Bool) async {
        var request = assignment.request
        request.retries += isRetried ? 1 : 0
        pool.release(assignment.running.lease)
        // Builds that are stopped from now on include the new one of a request that is retried.
        let isQueued = state.withLock { state in
            state.running[request.id] = nil
            state.locks.release(of: request.id)
            let isQueued = isRetried && !state.isClosed && state.stopReason == nil
            if isQueued { state.add(request) } else if !isRetried { state.end(request) }
            return isQueued
        }
        if isRetried, !isQueued { await add([request]) }
        ended.raise()
        reconsiderLocks()
    }

    // MARK: Cancelling

    /// Lets steps continue that waited for a lock behind builders whose requests are gone.
    func admitSteps() {
        let builders = builders
        let admitted = state.withLock { state in
            state.forgetIdleBuilders(builders) ? state.admitSteps(builders) : []
        }
        for step in admitted { step.resume() }
    }

    private func cancelPending() async {
        let pending = state.withLock { $0.removeAll() }
        admitSteps()
        for request in pending { await cancel(request) }
    }

    private func forgetPending() {
        let pending = state.withLock { $0.removeAll() }
        admitSteps()
        for request in pending { request.progress?.end() }
    }

    func cancel(_ request: Pending) async {
        state.withLock { $0.end(request) }
        do throws(StoreError) {
            _ = try await store.write { try $0.cancelRequest(request.id) }
            request.progress?.end()
        } catch {
            request.progress?.end(error)
        }
    }
}
