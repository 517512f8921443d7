internal import DequeModule
internal import MasterKit
internal import Synchronization

/// Pending build requests in the order in which they are to be built; several builds take from it.
///
/// Not bounded: what waits here is a few words for each row of the store's own queue.
final class RequestQueue: Sendable {
    private typealias Taker = CheckedContinuation<PendingRequest?, Never>

    private struct State {
        var pending: Deque<PendingRequest> = []
        var takers: Deque<Taker> = []
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Adds requests at the end.
    func append(_ requests: [PendingRequest]) {
        for request in requests {
            let taker = state.withLock { state -> Taker? in
                if let taker = state.takers.popFirst() { return taker }
                state.pending.append(request)
                return nil
            }
            taker?.resume(returning: request)
        }
    }

    /// The next request; `nil` when the queue was closed.
    func next() async -> PendingRequest? {
        await withCheckedContinuation { taker in
            let (request, isClosed) = state.withLock { state -> (PendingRequest?, Bool) in
                if let request = state.pending.popFirst() { return (request, false) }
                if !state.isClosed { state.takers.append(taker) }
                return (nil, state.isClosed)
            }
            if request != nil || isClosed { taker.resume(returning: request) }
        }
    }

    /// Takes away what nobody has begun.
    func removeAll() -> [PendingRequest] {
        state.withLock { state in
            defer { state.pending = [] }
            return Array(state.pending)
        }
    }

    /// Ends the queue: nobody waits any more.
    func close() {
        let takers = state.withLock { state in
            state.isClosed = true
            defer { state.takers = [] }
            return state.takers
        }
        for taker in takers { taker.resume(returning: nil) }
    }
}

/// A stored request with all that its build needs.
struct PendingRequest: Sendable {
    let request: BuildRequest
    let row: Builder
    let builder: BuilderConfiguration
    let sourceStamps: [SourceStamp]
    let properties: Properties
    let progress: BuildsetProgress
}
