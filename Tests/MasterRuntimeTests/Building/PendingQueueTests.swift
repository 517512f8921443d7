import MasterKit
import Testing

@testable import MasterRuntime

/// The order of pending requests.
struct PendingQueueTests {
    private func request(
        _ id: Int, _ builder: String, priority: Int = 0, on worker: String? = nil
    ) -> RequestDistributor.Pending {
        RequestDistributor.Pending(id: id, builder: builder, priority: priority, worker: worker)
    }

    private func taken(_ queue: inout PendingQueue) -> [Int] {
        var ids: [Int] = []
        while let request = queue.takeFirst() { ids.append(request.id) }
        return ids
    }

    @Test func `any number can be a priority`() {
        var queue = PendingQueue()
        for (id, priority) in zip(1..., [0, .min, .max, -1, .min]) {
            queue.add(request(id, "\(id % 2)", priority: priority))
        }
        queue.change(4, priority: .min)
        #expect(queue.removeAll().map(\.id) == [3, 1, 2, 4, 5])
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

    @Test func `one that waits for its worker does not hold up others of its builder`() {
        var queue = PendingQueue()
        queue.add(request(1, "a", on: "w"))
        queue.add(request(2, "a", on: "w"))
        queue.add(request(3, "a"))
        queue.add(request(4, "a", on: "v"))
        #expect(queue.firstOfEachLane.map(\.id) == [1, 3, 4])
        #expect(taken(&queue) == [1, 3, 4])
        for request in [request(1, "a", on: "w"), request(3, "a"), request(4, "a", on: "v")] {
            queue.putBack(request)
        }
        #expect(queue.removeAll { $0.id == 1 || $0.id == 4 }.map(\.id) == [1, 4])
        #expect(taken(&queue) == [2, 3])
        #expect(Set(queue.firstOfLanes(of: "a").map(\.id)) == [2, 3])
        #expect(queue.removeAll { $0.worker == nil }.map(\.id) == [3])
        #expect(queue.firstOfLanes(of: "a").map(\.id) == [2])
        #expect(queue.removeAll().map(\.id) == [2])
        #expect(queue.firstOfLanes(of: "a").isEmpty)
    }
}
