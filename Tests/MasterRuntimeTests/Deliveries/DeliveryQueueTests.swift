import Testing

@testable import MasterRuntime

struct DeliveryQueueTests {
    private static func delivery(
        _ id: Int, lane: Int, due: Int = 0, origin: String = "", byteCount: Int = 0
    ) -> Delivery {
        Delivery(
            id: id, eventSequence: id, part: 0, lane: lane, attempts: 0, due: .seconds(due),
            origin: origin, byteCount: byteCount)
    }

    private static func queue(limit: Int = 8, _ deliveries: Delivery...) -> DeliveryQueue {
        var queue = DeliveryQueue(limit: limit)
        for delivery in deliveries { queue.add(delivery) }
        return queue
    }

    @Test func `only the head of a lane is sent`() throws {
        var queue = Self.queue(Self.delivery(1, lane: 1), Self.delivery(2, lane: 1))
        let head = queue.next(at: .zero)
        let first = try #require(head)
        #expect(first.id == 1)
        #expect(queue.next(at: .zero) == nil)
        queue.remove(first)
        #expect(queue.next(at: .zero)?.id == 2)
    }

    @Test func `no more than the limit are in flight`() throws {
        var queue = Self.queue(limit: 2, Self.delivery(1, lane: 1), Self.delivery(2, lane: 2))
        queue.add(Self.delivery(3, lane: 3))
        let head = queue.next(at: .zero)
        let first = try #require(head)
        #expect(queue.next(at: .zero)?.id == 2)
        #expect(queue.next(at: .zero) == nil)
        #expect(queue.nextDue == nil)
        queue.remove(first)
        #expect(queue.next(at: .zero)?.id == 3)
    }

    @Test func `the limit counts for each place by itself`() throws {
        var queue = Self.queue(
            limit: 1, Self.delivery(1, lane: 1, origin: "a"),
            Self.delivery(2, lane: 2, origin: "a"),
            Self.delivery(3, lane: 3, origin: "b"))
        let head = queue.next(at: .zero)
        var first = try #require(head)
        #expect(first.id == 1)
        #expect(queue.next(at: .zero)?.id == 3)
        #expect(queue.nextDue == nil)
        #expect(queue.underWay == 2)
        first.due = .seconds(9)
        queue.putBack(first)
        let next = queue.next(at: .zero)
        let second = try #require(next)
        #expect(second.id == 2)
        queue.remove(second)
        #expect(queue.nextDue == .seconds(9))
    }

    @Test func `what has been due longest is sent first`() {
        var queue = Self.queue(
            Self.delivery(1, lane: 1, due: 3), Self.delivery(2, lane: 2, due: 1),
            Self.delivery(3, lane: 3, due: 2))
        #expect(queue.nextDue == .seconds(1))
        #expect(queue.next(at: .zero) == nil)
        let order = (1...3).map { _ in queue.next(at: .seconds(3))?.id }
        #expect(order == [2, 3, 1])
    }

    @Test func `a delivery that is put back keeps its lane waiting until it is due`() throws {
        var queue = Self.queue(Self.delivery(1, lane: 1), Self.delivery(2, lane: 1))
        let head = queue.next(at: .zero)
        var delivery = try #require(head)
        delivery.due = .seconds(5)
        delivery.attempts = 1
        queue.putBack(delivery)
        #expect(queue.underWay == 0)
        #expect(queue.next(at: .seconds(4)) == nil)
        #expect(queue.nextDue == .seconds(5))
        #expect(queue.next(at: .seconds(5))?.attempts == 1)
    }

    @Test func `bytes are counted, those behind a delivery that was tried in vain by themselves`()
        throws
    {
        var queue = Self.queue(
            Self.delivery(1, lane: 1, byteCount: 10), Self.delivery(2, lane: 1, byteCount: 5),
            Self.delivery(3, lane: 2, byteCount: 100))
        #expect([queue.byteCount, queue.failedByteCount] == [115, 0])
        let head = queue.next(at: .zero)
        var first = try #require(head)
        first.failureKind = .unreachable
        queue.putBack(first)
        #expect([queue.byteCount, queue.failedByteCount] == [115, 15])
        #expect(queue.failedLanes == [1])
        let next = queue.next(at: .zero)
        let again = try #require(next)
        #expect(again.id == 1)
        queue.remove(again)
        #expect([queue.byteCount, queue.failedByteCount] == [105, 0])
        _ = queue.take(open: [Self.delivery(4, lane: 1, byteCount: 1)], closed: [3])
        #expect([queue.byteCount, queue.count] == [6, 2])
    }
}
