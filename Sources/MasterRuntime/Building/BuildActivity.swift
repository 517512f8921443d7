internal import MasterKit
internal import Synchronization

/// What is going on in a master.
package struct BuildActivity: Sendable, Hashable {
    /// A builder with a request whose build has not begun.
    package struct Waiting: Sendable, Hashable {
        package let builder: String
        /// What it waits for, such as `lock 'db'`.
        package let reason: String

        package init(builder: String, reason: String) {
            self.builder = builder
            self.reason = reason
        }
    }

    /// The requests whose builds are running.
    package var running: Set<Int> = []
    /// The builders that wait, in the order in which they are built; only the first ones.
    package var waiting: [Waiting] = []
    /// The number of all requests that wait.
    package var waitingCount = 0

    package init() {}
}

extension RequestDistributor {
    /// What is going on, with the first builders that wait.
    func activity(listing count: Int) -> BuildActivity {
        let builders = builders
        return state.withLock { state in
            let first = state.firstPending.prefix(count)
            var activity = BuildActivity()
            activity.running = Set(state.running.keys)
            activity.waitingCount = state.queue.count + state.waiting.count
            activity.waiting = first.map { request in
                .init(builder: request.builder, reason: reason(of: request, state, builders))
            }
            return activity
        }
    }

    /// What pending requests wait for: the first ones of each builder, and those that need others.
    var waits: [(request: Int, builder: String, reason: String)] {
        let builders = builders
        return state.withLock { state in
            state.firstPending.map { ($0.id, $0.builder, reason(of: $0, state, builders)) }
        }
    }

    /// The builders with pending requests that no worker can take, and why.
    var absences: [String: String] {
        let builders = builders
        let waiting = state.withLock { $0.queue.firstOfEachLane }
        var absences: [String: String] = [:]
        for request in waiting {
            guard let builder = builders[request.builder] else { continue }
            absences[builder.name] =
                absences[builder.name] ?? pool.absence(of: workerNames(of: builder, for: request))
        }
        return absences
    }

    /// What a request without a build waits for.
    private func reason(
        of request: Pending, _ state: borrowing State, _ builders: BuilderTable
    ) -> String {
        let needs = request.needs.sorted().compactMap { state.builder(ofRequest: $0) }
        if !needs.isEmpty { return needs.map { "'\($0)'" }.joined(separator: ", ") }
        guard let builder = builders[request.builder] else { return "a builder of this name" }
        if usesWorkers, let worker = request.worker,
            !pool.states.contains(where: { $0.name == worker })
        {
            return "the worker '\(worker)', which master.yaml does not have"
        }
        if let reason = pool.reasonToWait(
            builder.name, among: workerNames(of: builder, for: request))
        {
            return reason
        }
        let locks =
            request.skipReason == nil ? state.locks.missing(for: .builder(builder.name)) : []
        guard locks.isEmpty else {
            return (locks.count == 1 ? "lock " : "locks ")
                + locks.map { "'\($0)'" }.joined(separator: ", ")
        }
        return "a free slot"
    }
}

extension RequestDistributor.State {
    /// The next requests of each builder, then those that need requests that have not ended.
    fileprivate var firstPending: [RequestDistributor.Pending] { queue.firstOfEachLane + waiting }

    /// The builder of a request that has not ended.
    fileprivate func builder(ofRequest id: Int) -> String? {
        running[id]?.builder ?? queue.builder(ofRequest: id)
            ?? waiting.first { $0.id == id }?.builder
    }
}

extension Master {
    /// What is going on, with the first builders that wait.
    package func activity(listing count: Int) -> BuildActivity {
        submissions.distributor.activity(listing: count)
    }

    /// What pending requests wait for, by their ids. Requests that wait only for others of their
    /// builder to be built first are left out.
    package var requestWaits: [Int: String] {
        Dictionary(
            submissions.distributor.waits.map { ($0.request, $0.reason) },
            uniquingKeysWith: { one, _ in one })
    }

    /// The builders with pending requests that no worker can take, and why.
    package var absences: [String: String] { submissions.distributor.absences }
}
