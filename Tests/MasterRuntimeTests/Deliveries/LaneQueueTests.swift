import Testing

@testable import MasterRuntime

struct LaneQueueTests {
    @Test func `a lane gives its next element only when the one before is finished`() {
        var queue = LaneQueue<String>()
        queue.add("a1", to: 1)
        queue.add("a2", to: 1)
        queue.add("b1", to: 2)
        #expect(queue.next()?.element == "a1")
        #expect(queue.next()?.element == "b1")
        #expect(queue.next() == nil)
        queue.finish(1)
        #expect(queue.next()?.element == "a2")
        #expect(queue.next() == nil)
    }

    @Test func `an element counts until it is finished`() {
        var queue = LaneQueue<Int>()
        queue.add(1, to: 7)
        _ = queue.next()
        #expect(queue.count == 1)
        queue.finish(7)
        #expect(queue.count == 0)
        #expect(queue.next() == nil)
    }

    @Test func `lanes take turns`() {
        var queue = LaneQueue<String>()
        for text in ["a1", "a2"] { queue.add(text, to: 1) }
        for text in ["b1", "b2"] { queue.add(text, to: 2) }
        var order: [String] = []
        while let (lane, element) = queue.next() {
            order.append(element)
            queue.finish(lane)
        }
        #expect(order == ["a1", "b1", "a2", "b2"])
    }
}
