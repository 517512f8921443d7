import MasterKit
import Testing

@testable import MasterRuntime

/// The order of pending requests.
struct PendingQueueTests {
    private func request(_ id: Int, _ builder: String, priority: Int = 0)
        -> RequestDistributor.Pending
    {
        RequestDistributor.Pending(id: id, builder: builder, priority: priority)
    }

    private func taken(_ queue: inout PendingQueue) -> [Int] {
        var ids: [Int] = []
        while let request = queue.takeFirst() { ids.append(request.id) }
        return ids
    }

    @Test func `one that was the first before is taken once`() {
        var queue = PendingQueue()
        queue.add(request(1, "a"))
        queue.add(request(2, "a", priority: 5))
        queue.add(request(3, "b"))
        let first = queue.takeFirst()
        #expect(first?.id == 2)
        if let first { queue.remove(first) }
        #expect(taken(&queue) == [1, 3])
    }

    @Test func `removing others lists the first no second time`() {
        var queue = PendingQueue()
        for id in 1...4 { queue.add(request(id, "a")) }
        for id in 2...4 { #expect(queue.removeAll { $0.id == id }.map(\.id) == [id]) }
        #expect(taken(&queue) == [1])
    }
}
