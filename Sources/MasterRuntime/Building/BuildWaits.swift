internal import MasterKit
internal import Synchronization

/// Waits of running builds, for locks and for builds that they have triggered.
///
/// A build that waits gives its slot back, so that what it waits for can run.
extension RequestDistributor {
    /// Runs a closure while a build holds locks; they are released however it ends.
    ///
    /// - Parameters:
    ///   - demands: The locks, which the build gets all at once, in order of arrival.
    ///   - build: The request of the build.
    ///   - wait: Called before and after a wait, with the locks and whether it begins.
    ///   - body: The closure.
    /// - Returns: What the closure returns.
    /// - Throws: ``Deadlock``, `CancellationError` if the task is cancelled while it waits, and
    ///   what the closure throws.
    func withLocks<Value>(
        _ demands: [LockDemand], for build: Int, waiting wait: (_ begins: Bool) async -> Void,
        _ body: () async throws -> Value
    ) async throws -> Value {
        guard !demands.isEmpty else { return try await body() }
        if !tryToTake(demands, for: build) {
            await wait(true)
            try await withoutSlot(build) { try await waitForLocks(demands, for: build) }
            await wait(false)
        }
        defer { release(demands.map(\.name), of: build) }
        return try await body()
    }

    private func tryToTake(_ demands: [LockDemand], for build: Int) -> Bool {
        let builders = builders
        return state.withLock { $0.take(demands, for: build, builders) }
    }

    private func waitForLocks(_ demands: [LockDemand], for build: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { step in
                let builders = builders
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.take(demands, for: build, builders) { return .success(()) }
                    let owner = LockTable.Owner.build(build)
                    state.locks.add(.init(owner: owner, demands: demands, step: step))
                    guard let deadlock = state.deadlock(at: owner, builders) else { return nil }
                    state.locks.removeWaiters { $0 == owner }
                    return .failure(deadlock)
                }
                if let outcome { step.resume(with: outcome) }
            }
        } onCancel: {
            let removed = state.withLock { $0.locks.removeWaiters { $0 == .build(build) } }
            for waiter in removed { waiter.step?.resume(throwing: CancellationError()) }
            reconsiderLocks()
        }
    }

    private func release(_ names: [String], of build: Int) {
        state.withLock { $0.locks.release(names, of: build) }
        reconsiderLocks()
    }

    /// Lets steps that wait for locks continue if they can have them now, and then pending
    /// requests.
    func reconsiderLocks() {
        let builders = builders
        let admitted = state.withLock { state in
            _ = state.forgetIdleBuilders(builders, hasWorker: hasWorker)
            return state.admitSteps(builders)
        }
        for step in admitted { step.resume() }
        changed.raise()
    }

    // MARK: Triggered builds

    /// Waits until the builds triggered by a build have ended; if the task is cancelled, stops them
    /// first.
    ///
    /// - Parameters:
    ///   - ids: Their requests.
    ///   - progress: The progress of their buildset.
    ///   - build: The request of the build that waits.
    ///   - reason: The reason with which they are stopped.
    /// - Returns: The builds.
    /// - Throws: ``Deadlock`` if a build waits for the one that waits; `CancellationError`.
    func wait(
        for ids: Set<Int>, _ progress: BuildsetProgress, by build: Int, stopping reason: String
    ) async throws -> [FinishedBuild] {
        let builders = builders
        let deadlock = state.withLock { $0.deadlock(at: .build(build), builders) }
        if let deadlock {
            stop(ids, reason: reason)
            _ = try await withoutSlot(build) { try await progress.wait() }
            throw deadlock
        }
        let builds = try await withoutSlot(build) {
            try await withTaskCancellationHandler {
                try await progress.wait()
            } onCancel: {
                stop(ids, reason: reason)
            }
        }
        try Task.checkCancellation()
        return builds
    }

    /// Stops builds that wait for triggered builds which can't begin before them any more.
    func stopDeadlocks() {
        let builders = builders
        let stuck = state.withLock { state in
            state.running.filter { !$0.value.children.isEmpty }.compactMap { request, running in
                state.deadlock(at: .build(request), builders).map { (running.control, $0) }
            }
        }
        for (control, deadlock) in stuck { control.end("\(deadlock)") }
    }

    /// Stops the builds of requests, and cancels the requests that are pending.
    private func stop(_ ids: Set<Int>, reason: String) {
        let (pending, controls) = state.withLock { state in
            (
                state.removePending { ids.contains($0.id) },
                ids.compactMap { state.running[$0]?.control }
            )
        }
        // The user who stopped the one that waits has perhaps stopped these, too, with the same act.
        for control in controls { control.end(reason) }
        guard !pending.isEmpty else { return }
        // Ends by itself; the buildset's progress, which the caller waits for, ends after it.
        Task { await cancel(pending) }
    }

    // MARK: Slots

    /// Runs a closure while a build needs no slot, and then waits for one; a task that was cancelled
    /// goes on without one.
    private func withoutSlot<Value>(
        _ build: Int, _ body: () async throws -> Value
    ) async throws -> Value {
        let lease = state.withLock { state -> WorkerPool.Lease? in
            guard var running = state.running[build] else { return nil }
            running.waitCount += 1
            state.running[build] = running
            return running.waitCount == 1 ? running.lease : nil
        }
        if let lease {
            pool.suspend(lease)
            changed.raise()
        }
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        let resumed = state.withLock { state -> WorkerPool.Lease? in
            guard var running = state.running[build] else { return nil }
            running.waitCount -= 1
            state.running[build] = running
            return running.waitCount == 0 ? running.lease : nil
        }
        if let resumed { await pool.resume(resumed) }
        return try outcome.get()
    }
}

extension RequestDistributor.State {
    typealias Node = LockTable.Owner

    /// Gives the locks of a builder to its next build; if it has to wait for them, remembers its
    /// place.
    ///
    /// - Parameters:
    ///   - builder: The builder.
    ///   - request: The request of the build.
    ///   - workers: The workers that can run it now, the best one first.
    ///   - builders: The builders with their locks.
    /// - Returns: The worker on which it has them, or `nil` if it has to wait.
    mutating func takeLocks(
        of builder: BuilderConfiguration, for request: RequestDistributor.Pending,
        on workers: [String], _ builders: BuilderTable
    ) -> String? {
        guard let first = workers.first, !builder.locks.isEmpty else { return workers.first }
        let owner = Node.builder(builder.name)
        for worker in builder.hasWorkerLocks ? workers : [first] {
            let demands = builder.locks.map { $0.on(worker) }
            let isFree = locks.canTake(demands, for: owner) { ahead in
                path(from: ahead, to: owner, inclusive: true, builders) != nil
            }
            guard isFree else { continue }
            locks.removeWaiters { $0 == owner }
            locks.take(demands, for: request.id)
            return worker
        }
        // It keeps its place, also if it waits for one worker and another one is best by now.
        if locks.demands(of: owner).map({ $0.on(nil) }) != builder.locks {
            locks.removeWaiters { $0 == owner }
            let demands = builder.locks.map { $0.on(first) }
            locks.add(.init(owner: owner, demands: demands, step: nil))
        }
        return nil
    }

    /// Forgets the places of builders that need no lock any more, or have no request that could
    /// begin with it: nobody must wait behind a builder whose workers are away.
    ///
    /// - Returns: Whether there were any.
    mutating func forgetIdleBuilders(
        _ builders: BuilderTable,
        hasWorker: (BuilderConfiguration, RequestDistributor.Pending) -> Bool
    ) -> Bool {
        let idle = locks.waiters.map(\.owner).filter { owner in
            guard case .builder(let name) = owner else { return false }
            guard let builder = builders[name], !builder.locks.isEmpty else { return true }
            return !queue.firstOfLanes(of: name).contains { request in
                admits(request) && hasWorker(builder, request)
            }
        }
        if !idle.isEmpty { locks.removeWaiters { idle.contains($0) } }
        return !idle.isEmpty
    }

    /// Gives locks to a build if it need not wait for them.
    mutating func take(
        _ demands: [LockDemand], for build: Int, _ builders: BuilderTable
    ) -> Bool {
        let isFree = locks.canTake(demands, for: .build(build)) { ahead in
            path(from: ahead, to: .build(build), inclusive: true, builders) != nil
        }
        if isFree { locks.take(demands, for: build) }
        return isFree
    }

    /// Gives steps that wait the locks that are free now, in order.
    mutating func admitSteps(
        _ builders: BuilderTable
    ) -> [WaitingStep] {
        var admitted: [WaitingStep] = []
        for waiter in locks.waiters {
            guard case .build(let build) = waiter.owner, let step = waiter.step,
                take(waiter.demands, for: build, builders)
            else { continue }
            locks.removeWaiters { $0 == waiter.owner }
            admitted.append(step)
        }
        return admitted
    }

    /// The builds that would wait for each other if a build waited for what it waits for.
    func deadlock(at node: Node, _ builders: BuilderTable) -> Deadlock? {
        let stuck = stuckNodes(from: node, builders)
        guard stuck.contains(node) else { return nil }
        for next in waits(of: node, inclusive: false, builders) where stuck.contains(next) {
            guard let path = path(from: next, to: node, inclusive: false, among: stuck, builders)
            else { continue }
            return Deadlock(builders: ([node] + path.dropLast()).map(name))
        }
        return nil
    }

    /// The nodes that a node waits for, directly or not, and that can't continue even if all others
    /// end: of a lock that is counted, one of several holders may be enough.
    private func stuckNodes(from start: Node, _ builders: BuilderTable) -> Set<Node> {
        var stuck: Set<Node> = [start]
        var open = [start]
        while let node = open.popLast() {
            for next in waits(of: node, inclusive: false, builders)
            where stuck.insert(next).inserted { open.append(next) }
        }
        var freed: Set<Node> = []
        while true {
            let more = stuck.filter { canContinue($0, once: freed, builders) }
            if more.isEmpty { return stuck }
            stuck.subtract(more)
            freed.formUnion(more)
        }
    }

    /// Whether a node can continue once others have ended.
    private func canContinue(
        _ node: Node, once freed: Set<Node>, _ builders: BuilderTable
    ) -> Bool {
        guard builds(before: node).allSatisfy(freed.contains) else { return false }
        return locks.canMeet(demands(of: node, builders), once: freed)
    }

    private func name(of node: Node) -> String {
        switch node {
        case .build(let id): running[id]?.builder ?? "build request \(id)"
        case .builder(let name): name
        }
    }

    /// The nodes on a way of waits from one node to another, including both.
    private func path(
        from start: Node, to end: Node, inclusive: Bool, among nodes: Set<Node>? = nil,
        _ builders: BuilderTable
    ) -> [Node]? {
        if start == end { return [start] }
        var previous: [Node: Node] = [start: start]
        var open = [start]
        while let node = open.popLast() {
            for next in waits(of: node, inclusive: inclusive, builders)
            where previous[next] == nil && nodes?.contains(next) ?? true {
                previous[next] = node
                if next == end {
                    var path = [next]
                    while let last = path.last, last != start, let before = previous[last] {
                        path.append(before)
                    }
                    return path.reversed()
                }
                open.append(next)
            }
        }
        return nil
    }

    /// What a build, or a builder with a pending request, waits for.
    ///
    /// - Parameters:
    ///   - node: The build or builder.
    ///   - inclusive: Whether to include those that only came earlier for the same lock, and those
    ///     that hold it on one of several workers.
    ///   - builders: The builders with their locks.
    /// - Returns: The builds and builders.
    private func waits(of node: Node, inclusive: Bool, _ builders: BuilderTable) -> [Node] {
        var nodes = builds(before: node) + locks.blockers(of: demands(of: node, builders))
        if inclusive {
            nodes += locks.blockers(of: locks.demands(of: node)) + locks.waitersAhead(of: node)
        }
        return nodes
    }

    /// The builds that must end before a node continues: those that a build has triggered, or that
    /// of the same builder.
    private func builds(before node: Node) -> [Node] {
        switch node {
        case .build(let id):
            (running[id]?.children ?? [:]).map { child, builder in
                running[child] == nil ? Node.builder(builder) : .build(child)
            }
        case .builder(let name):
            running.filter { $0.value.builder == name }.map { Node.build($0.key) }
        }
    }

    private func demands(of node: Node, _ builders: BuilderTable) -> [LockDemand] {
        switch node {
        case .build: locks.demands(of: node)
        case .builder(let name): builders[name]?.certainLocks ?? []
        }
    }

    /// Removes pending requests, and returns them.
    mutating func removePending(
        where condition: (RequestDistributor.Pending) -> Bool
    ) -> [RequestDistributor.Pending] {
        let removed = queue.removeAll(where: condition) + waiting.filter(condition)
        waiting.removeAll(where: condition)
        return removed
    }
}
