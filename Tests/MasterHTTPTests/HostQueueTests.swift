import Testing

@testable import MasterHTTP

struct TransferQueueTests {
    @Test func `hosts take turns, and each keeps its order`() {
        var queue = HostQueue<String>(TransferLimits(inFlight: 4, perHost: 2))
        for name in ["a1", "a2", "a3", "b1", "b2"] {
            queue.append(name, host: String(name.prefix(1)))
        }
        let started = (0..<5).map { _ in queue.start() }
        #expect(started == ["a1", "b1", "a2", "b2", nil])
        queue.finish(host: "b")
        #expect(queue.start() == nil)
        queue.finish(host: "a")
        #expect(queue.start() == "a3")
        #expect(queue.waiting.isEmpty)
    }

    @Test func `what waits can be removed`() {
        var queue = HostQueue<Int>(TransferLimits(inFlight: 1, perHost: 1))
        for number in 0..<5 { queue.append(number, host: "a") }
        #expect(queue.start() == 0)
        #expect(queue.removeWaiting { $0 % 2 == 1 } == [1, 3])
        queue.finish(host: "a")
        #expect(queue.start() == 2)
        queue.finish(host: "a")
        #expect(queue.start() == 4)
        queue.finish(host: "a")
        #expect(queue.start() == nil)
    }

    @Test func `thousands of elements and hosts come out once each`() {
        var queue = HostQueue<Int>(TransferLimits(inFlight: 10, perHost: 3))
        for number in 0..<10_000 { queue.append(number, host: "\(number % 700)") }
        var seen: Set<Int> = []
        var running: [Int] = []
        while seen.count < 10_000 {
            while let number = queue.start() { running.append(number) }
            guard !running.isEmpty else { break }
            let number = running.removeFirst()
            seen.insert(number)
            queue.finish(host: "\(number % 700)")
        }
        #expect(seen.count == 10_000)
    }
}
