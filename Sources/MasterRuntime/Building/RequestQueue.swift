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
    ///
    /// - Returns: Whether they were taken; after ``close()`` none is.
    func append(_ requests: [PendingRequest]) -> Bool {
        let taken = state.withLock { state -> [(Taker, PendingRequest)]? in
            guard !state.isClosed else { return nil }
            var requests = requests[...]
            var taken: [(Taker, PendingRequest)] = []
            while let request = requests.first, let taker = state.takers.popFirst() {
                taken.append((taker, request))
                requests = requests.dropFirst()
            }
            state.pending.append(contentsOf: requests)
            return taken
        }
        for (taker, request) in taken ?? [] { taker.resume(returning: request) }
        return taken != nil
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
