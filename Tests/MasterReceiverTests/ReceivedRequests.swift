import MasterReceiver
import Synchronization

/// Keeps what a receiver handed on, and waits for more of it.
final class ReceivedRequests: Sendable {
    private let all = Mutex<[ReceivedRequest]>([])
    private let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation

    init() {
        (arrivals, arrived) = AsyncStream.makeStream()
    }

    var list: [ReceivedRequest] { all.withLock { $0 } }

    func add(_ request: ReceivedRequest) {
        all.withLock { $0.append(request) }
        arrived.yield()
    }

    /// Waits until a number of requests have been handed on.
    func wait(for count: Int) async {
        guard list.count < count else { return }
        for await _ in arrivals where list.count >= count { return }
    }
}
