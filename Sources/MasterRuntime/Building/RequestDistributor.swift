internal import HeapModule
internal import MasterKit
internal import ServiceLifecycle
internal import Synchronization

/// Assigns pending build requests to free worker slots, and stops running builds.
///
/// The requests themselves are stored as rows; this only holds the order in which they are built. A
/// builder runs at most one build per worker at a time.
final class RequestDistributor: Service {
    /// How often a build that ends with retry is run again.
    static let maximumRetries = 2

    /// A pending request.
    struct Pending: Sendable {
        let id: Int
        let builder: String
        let priority: Int
        /// The progress of its buildset, if anything waits for its builds.
        var progress: BuildsetProgress?
        var retries = 0
        /// The requests of the same buildset that must succeed first.
        var needs: Set<Int> = []
        /// The reason for skipping it, once one of these did not succeed.
        var skipReason: String?
        /// The steps that its build runs.
        var steps = StepSelection()
    }

    private struct State {
        var queue = PendingQueue()
        /// The requests that wait for others to finish.
        var waiting: [Pending] = []
        var running: [Int: BuildControl] = [:]
        var stopReason: String?
        var isClosed = false

        /// Removes and returns the requests for which no build has been started.
        mutating func removeAll() -> [Pending] {
            defer { waiting = [] }
            return queue.removeAll() + waiting
        }
    }

    private struct Assignment: Sendable {
        let request: Pending
        let lease: WorkerPool.Lease
        let builder: BuilderConfiguration
        let environment: BuildEnvironment
    }

    private let state = Mutex(State())
    private let changed = Signal()
    private let pool: WorkerPool
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

    /// The pending requests of a new buildset, one for each of its builders.
    static func pending(
        _ requests: [BuildRequest], of builders: [BuilderConfiguration],
        _ progress: BuildsetProgress?, _ steps: StepSelection
    ) -> [Pending] {
        let ids = Dictionary(
            zip(builders, requests).map { ($0.name, $1.id) }, uniquingKeysWith: { one, _ in one })
        return zip(requests, builders).map { request, builder in
            Pending(
                id: request.id, builder: builder.name, priority: request.priority,
                progress: progress, needs: Set(builder.needs.compactMap { ids[$0] }),
                steps: steps)
        }
    }

    /// Enqueues requests; if builds have been stopped, cancels them or leaves them to the next master.
    func add(_ requests: [Pending]) async {
        let isClosed = state.withLock { state in
            let isClosed = state.isClosed || state.stopReason != nil
            guard !isClosed else { return true }
            for request in requests {
                if request.needs.isEmpty || request.skipReason != nil {
                    state.queue.add(request)
                } else {
                    state.waiting.append(request)
                }
            }
            return false
        }
        guard isClosed else { return changed.raise() }
        guard !leavesRequests else {
            for request in requests { request.progress?.end() }
            return
        }
        for request in requests { await cancel(request) }
    }

    /// Matches pending requests again, after builders or workers have changed.
    func reconsider() {
        changed.raise()
    }

    /// Runs builds until the master shuts down. Running builds are then stopped, and pending
    /// requests are cancelled or left to the next master.
    func run() async {
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withDiscardingTaskGroup { group in
                    while let assignment = await next() {
                        group.addTask { await self.build(assignment) }
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
            state.stopReason = state.stopReason ?? "master stopped"
            return Array(state.running.values)
        }
        for control in controls { control.stop("master stopped") }
        changed.raise()
    }

    /// Stops all running builds and cancels all pending requests.
    ///
    /// A second call also stops alwaysRun steps.
    func stop(reason: String) async {
        let controls = state.withLock { state in
            state.stopReason = reason
            return Array(state.running.values)
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

    /// The first request whose builder exists and for which a worker is free.
    private func match() -> Assignment? {
        let builders = configuration.current.configuration.builders
        return state.withLock { state -> Assignment? in
            guard !state.isClosed, state.stopReason == nil else { return nil }
            var passed: [Pending] = []
            defer { for request in passed { state.queue.putBack(request) } }
            while pool.hasFreeSlot, let request = state.queue.takeFirst() {
                guard let builder = builders[request.builder],
                    let lease = pool.lease(for: request.builder)
                else {
                    passed.append(request)
                    continue
                }
                state.queue.remove(request)
                let environment = configuration.beginBuild()
                return Assignment(
                    request: request, lease: lease,
                    builder: environment.configuration.builders[request.builder] ?? builder,
                    environment: environment)
            }
            return nil
        }
    }

    // MARK: Building

    private func build(_ assignment: Assignment) async {
        let request = assignment.request
        let control = BuildControl()
        let stopReason = state.withLock { state in
            state.running[request.id] = control
            return state.stopReason
        }
        if let stopReason { control.stop(stopReason) }
        do throws(StoreError) {
            let runner = BuildRunner(
                requestID: request.id, builder: assignment.builder, lease: assignment.lease,
                shared: assignment.environment, control: control,
                mayRetry: request.retries < Self.maximumRetries, steps: request.steps,
                skipReason: request.skipReason)
            let finished = try await runner.run()
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
                if request.needs.isEmpty || request.skipReason != nil {
                    state.queue.add(request)
                } else {
                    state.waiting.append(request)
                }
            }
        }
    }

    /// The reason for skipping a builder that needs another one, or `nil` if that one succeeded.
    static func skipReason(of builder: String, _ results: Results?) -> String? {
        switch results {
        case .success, .warnings: nil
        case .skipped: "'\(builder)' was skipped"
        case .cancelled: "'\(builder)' was cancelled"
        default: "'\(builder)' ended as \(Results.text(results))"
        }
    }

    private func finish(_ assignment: Assignment, isRetried: Bool) async {
        pool.release(assignment.lease)
        _ = state.withLock { $0.running.removeValue(forKey: assignment.request.id) }
        if isRetried {
            var request = assignment.request
            request.retries += 1
            await add([request])
        }
        changed.raise()
    }

    // MARK: Cancelling

    private func cancelPending() async {
        for request in state.withLock({ $0.removeAll() }) { await cancel(request) }
    }

    private func forgetPending() {
        for request in state.withLock({ $0.removeAll() }) { request.progress?.end() }
    }

    private func cancel(_ request: Pending) async {
        do throws(StoreError) {
            _ = try await store.write { try $0.cancelRequest(request.id) }
            request.progress?.end()
        } catch {
            request.progress?.end(error)
        }
    }
}

/// Pending requests in the order in which they are built: by priority, then by age.
///
/// Many requests may be waiting for one busy builder, so only the first request of each builder is
/// compared.
private struct PendingQueue {
    private var byBuilder: [String: Heap<RequestDistributor.Pending>] = [:]
    /// The first request of each builder; may also contain stale entries that were the first
    /// before.
    private var heads = Heap<RequestDistributor.Pending>()

    mutating func add(_ request: RequestDistributor.Pending) {
        byBuilder[request.builder, default: Heap()].insert(request)
        if byBuilder[request.builder]?.min == request { heads.insert(request) }
    }

    /// Returns the first request and skips it until it is put back or its build begins.
    mutating func takeFirst() -> RequestDistributor.Pending? {
        while let head = heads.popMin() {
            if byBuilder[head.builder]?.min == head { return head }
        }
        return nil
    }

    mutating func putBack(_ request: RequestDistributor.Pending) {
        heads.insert(request)
    }

    /// Removes a request returned by `takeFirst()`, because its build begins.
    mutating func remove(_ request: RequestDistributor.Pending) {
        byBuilder[request.builder]?.removeMin()
        if let next = byBuilder[request.builder]?.min {
            heads.insert(next)
        } else {
            byBuilder[request.builder] = nil
        }
    }

    mutating func removeAll() -> [RequestDistributor.Pending] {
        defer { self = PendingQueue() }
        return byBuilder.values.flatMap(\.unordered).sorted()
    }
}

extension RequestDistributor.Pending: Comparable {
    static func == (one: Self, other: Self) -> Bool { one.id == other.id }

    static func < (one: Self, other: Self) -> Bool {
        (-one.priority, one.id) < (-other.priority, other.id)
    }
}
