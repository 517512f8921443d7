package import MasterKit
internal import Synchronization

/// The progress of the builds of one buildset, and the tasks waiting for their end.
final class BuildsetProgress: Sendable {
    private struct State {
        var remaining: Int
        var builds: [FinishedBuild] = []
        var failure: StoreError?
        /// Why requests were cancelled before they were built, where there is a reason.
        var reasons: [Int: String] = [:]

        /// The builds in the order of their requests; a retried build comes before its successor.
        var inOrder: [FinishedBuild] {
            builds.sorted {
                ($0.build.requestID, $0.build.id) < ($1.build.requestID, $1.build.id)
            }
        }
    }

    private let state: Mutex<State>
    private let outcome = Latch<Result<[FinishedBuild], StoreError>>()

    init(requestCount: Int) {
        state = Mutex(State(remaining: requestCount))
    }

    /// Records a finished build; if it is retried, its request continues.
    func add(_ build: FinishedBuild) {
        state.withLock { $0.builds.append(build) }
    }

    /// Records the end of a request, with an error if the store failed.
    ///
    /// - Parameters:
    ///   - failure: The error.
    ///   - id: The request, if it was cancelled before it was built.
    ///   - reason: Why it was cancelled.
    func end(_ failure: StoreError? = nil, cancelling id: Int? = nil, _ reason: String? = nil) {
        let outcome = state.withLock { state -> Result<[FinishedBuild], StoreError>? in
            state.remaining -= 1
            if let id { state.reasons[id] = reason }
            state.failure = state.failure ?? failure
            if state.remaining > 0 { return nil }
            return state.failure.map { .failure($0) } ?? .success(state.inOrder)
        }
        if let outcome { self.outcome.set(outcome) }
    }

    /// Why a request was cancelled before it was built, if there is a reason.
    func reason(forCancelling id: Int) -> String? { state.withLock { $0.reasons[id] } }

    /// Waits until all requests have finished.
    func wait() async throws(StoreError) -> [FinishedBuild] {
        try await outcome.wait().get()
    }
}

/// A finished build with its steps.
package struct FinishedBuild: Sendable {
    /// The name of its builder.
    package let builder: String
    /// The build.
    package let build: Build
    /// Its steps in order.
    package let steps: [StepRecord]
    /// The log files of each step, by step number, as paths on this machine; only those of the last
    /// attempt if the step was retried.
    package let logs: [Int: [String]]
    /// The names of the steps that were not run because the build ended before.
    package let notReached: [String]
    /// Whether it ended with retry and another build replaces it.
    package let isRetried: Bool
    /// Whether it was triggered, directly or not, as one whose result does not count.
    package internal(set) var isUnimportant = false
}
