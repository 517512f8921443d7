package import MasterKit
internal import Synchronization

/// The progress of the builds of one buildset, and the tasks waiting for their end.
final class BuildsetProgress: Sendable {
    private typealias Outcome = Result<[FinishedBuild], StoreError>

    private struct State {
        var remaining: Int
        var builds: [FinishedBuild] = []
        var failure: StoreError?
        var waiters: [CheckedContinuation<Outcome, Never>] = []

        var outcome: Outcome? {
            if remaining > 0 { return nil }
            return failure.map { .failure($0) } ?? .success(inOrder)
        }

        /// The builds in the order of their requests; a retried build comes before its successor.
        private var inOrder: [FinishedBuild] {
            builds.sorted {
                ($0.build.requestID, $0.build.id) < ($1.build.requestID, $1.build.id)
            }
        }
    }

    private let state: Mutex<State>

    init(requestCount: Int) {
        state = Mutex(State(remaining: requestCount))
    }

    /// Records a finished build; if it is retried, its request continues.
    func add(_ build: FinishedBuild) {
        state.withLock { $0.builds.append(build) }
    }

    /// Records the end of a request, with an error if the store failed.
    func end(_ failure: StoreError? = nil) {
        let (waiters, outcome) = state.withLock { state in
            state.remaining -= 1
            state.failure = state.failure ?? failure
            guard let outcome = state.outcome else {
                return ([CheckedContinuation<Outcome, Never>](), Outcome?.none)
            }
            defer { state.waiters = [] }
            return (state.waiters, outcome)
        }
        guard let outcome else { return }
        for waiter in waiters { waiter.resume(returning: outcome) }
    }

    /// Waits until all requests have finished.
    func wait() async throws(StoreError) -> [FinishedBuild] {
        let outcome: Outcome = await withCheckedContinuation { waiter in
            let outcome = state.withLock { state in
                if state.outcome == nil { state.waiters.append(waiter) }
                return state.outcome
            }
            if let outcome { waiter.resume(returning: outcome) }
        }
        return try outcome.get()
    }
}

/// A finished build with its steps.
public struct FinishedBuild: Sendable {
    /// The name of its builder.
    public let builder: String
    /// The build.
    package let build: Build
    /// Its steps in order.
    package let steps: [StepRecord]
    /// The log files of each step, by step number, as paths on this machine; only those of the last
    /// attempt if the step was retried.
    public let logs: [Int: [String]]
    /// The names of the steps that were not run because the build ended before.
    package let notReached: [String]
    /// Whether it ended with retry and another build replaces it.
    public let isRetried: Bool
    /// Whether it was triggered, directly or not, as one whose result does not count.
    public internal(set) var isUnimportant = false
}
