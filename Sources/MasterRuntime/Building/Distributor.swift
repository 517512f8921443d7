internal import MasterKit
internal import Synchronization

/// Matches pending requests with free slots of the worker, and stops what runs.
final class Distributor: Sendable {
    /// How often a build that ends as retry is run again.
    static let maximumRetries = 2

    private struct State {
        var running: [Int: BuildControl] = [:]
        var stopReason: String?
    }

    private let queue = RequestQueue()
    private let state = Mutex(State())
    private let shared: BuildEnvironment
    private let slots: Int

    init(shared: BuildEnvironment, slots: Int) {
        self.shared = shared
        self.slots = slots
    }

    /// Takes requests in; they are built in this order as slots become free, or cancelled when
    /// the distributor has been closed.
    func add(_ requests: [PendingRequest]) async {
        guard !queue.append(requests) else { return }
        for request in requests { await cancel(request) }
    }

    /// Builds until ``close()``.
    func run() async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<slots {
                group.addTask {
                    while let request = await self.queue.next() { await self.build(request) }
                }
            }
        }
    }

    /// Lets ``run()`` end once nothing is pending.
    func close() {
        queue.close()
    }

    /// Stops all running builds and cancels all requests that none has begun.
    ///
    /// A second call ends the steps that always run, too.
    func stop(reason: String) async {
        let controls = state.withLock { state in
            state.stopReason = reason
            return Array(state.running.values)
        }
        for control in controls { control.stop(reason) }
        for pending in queue.removeAll() { await cancel(pending) }
    }

    private func cancel(_ pending: PendingRequest) async {
        do throws(StoreError) {
            let id = pending.request.id
            _ = try await shared.store.write { try $0.cancelRequest(id) }
            pending.progress.end()
        } catch {
            pending.progress.end(error)
        }
    }

    private func build(_ pending: PendingRequest) async {
        let control = BuildControl()
        let stopReason = state.withLock { state in
            state.running[pending.request.id] = control
            return state.stopReason
        }
        defer { state.withLock { $0.running[pending.request.id] = nil } }
        if stopReason != nil {
            await cancel(pending)
            return
        }
        do throws(StoreError) {
            try await run(pending, control)
            pending.progress.end()
        } catch {
            pending.progress.end(error)
        }
    }

    private func run(_ pending: PendingRequest, _ control: BuildControl) async throws(StoreError) {
        for retries in 0...Self.maximumRetries {
            let runner = BuildRunner(
                request: pending.request, builderRow: pending.row, builder: pending.builder,
                sourceStamps: pending.sourceStamps, properties: pending.properties,
                shared: shared, control: control, mayRetry: retries < Self.maximumRetries)
            let finished = try await runner.run()
            pending.progress.add(finished)
            if !finished.isRetried { return }
        }
    }
}
