import Dispatch
import Synchronization
import Testing

@testable import MasterRuntime

struct TransitionQueueTests {
    private static let end = StoreError(.closed, "over")

    private let queue = TransitionQueue()
    private let told = NumberList()

    @Test func `batches keep the order and have a bound`() async {
        for number in 0..<300 { await queue.post(transition(number)) }
        #expect(takeBatch() == TransitionQueue.batchCount)
        #expect(takeBatch() == 300 - TransitionQueue.batchCount)
        #expect(takeBatch() == 0)
        #expect(told.numbers == Array(0..<300))
    }

    @Test func `who posts beyond the bound waits until there is room, in order`() async {
        for number in 0..<TransitionQueue.bound { await queue.post(transition(number)) }
        let hasRoom = Flag()
        await withTaskGroup(of: Bool.self) { group in
            for number in TransitionQueue.bound..<TransitionQueue.bound + 3 {
                group.addTask {
                    await queue.post(transition(number))
                    return hasRoom.isSet
                }
                while queue.count <= number { await Task.yield() }
            }
            hasRoom.set()
            while takeBatch() > 0 {}
            for await hadRoom in group { #expect(hadRoom) }
        }
        #expect(told.numbers == Array(0..<TransitionQueue.bound + 3))
    }

    @Test func `a batch makes room for as many as it takes`() async {
        for number in 0..<TransitionQueue.bound { await queue.post(transition(number)) }
        await withTaskGroup(of: Void.self) { group in
            let returned = NumberList()
            let count = TransitionQueue.batchCount + 1
            for number in 0..<count {
                group.addTask {
                    await queue.post(transition(number))
                    returned.append(number)
                }
            }
            while queue.count < TransitionQueue.bound + count { await Task.yield() }
            #expect(returned.numbers.isEmpty)
            #expect(takeBatch() == TransitionQueue.batchCount)
            for _ in 0..<TransitionQueue.batchCount { await group.next() }
            #expect(returned.numbers.count == TransitionQueue.batchCount)
            queue.stop(with: Self.end)
        }
    }

    @Test func `a queue that was stopped fails what waits and what comes`() async {
        await queue.post(transition(1))
        queue.append(transition(2))
        queue.stop(with: Self.end)
        await queue.post(transition(3))
        #expect(told.numbers == [1, 2, 3])
        #expect(queue.isOver)
        #expect(queue.takeBatch(waitingUntil: .distantFuture).isEmpty)
    }

    @Test func `a queue that was closed gives what waits and takes no more`() async {
        await queue.post(transition(1))
        queue.close(with: Self.end)
        await queue.post(transition(2))
        #expect(told.numbers == [2])
        #expect(!queue.isOver)
        #expect(takeBatch() == 1)
        #expect(told.numbers == [2, 1])
        #expect(queue.isOver)
    }

    @Test func `a sleeping writer is woken by what comes and by the end`() async throws {
        async let writer: Void = OwnThread.run {
            while !queue.isOver {
                for transition in queue.takeBatch(waitingUntil: .distantFuture) {
                    transition.fail(Self.end)
                }
            }
        }
        for number in 0..<2000 {
            await queue.post(transition(number))
            await Task.yield()
        }
        queue.close(with: Self.end)
        try await writer
        #expect(told.numbers == Array(0..<2000))
    }

    private func transition(_ number: Int) -> Transition {
        Transition(
            perform: { _ in {} }, fail: { _ in told.append(number) }, isPosted: true)
    }

    /// Takes a batch, fails its transitions, and returns their number.
    private func takeBatch() -> Int {
        let batch = queue.takeBatch(waitingUntil: .now())
        for transition in batch { transition.fail(Self.end) }
        return batch.count
    }
}

private final class NumberList: Sendable {
    private let list = Mutex<[Int]>([])

    var numbers: [Int] { list.withLock { $0 } }

    func append(_ number: Int) {
        list.withLock { $0.append(number) }
    }
}

/// A flag that can be set once.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .sequentiallyConsistent) }

    func set() { value.store(true, ordering: .sequentiallyConsistent) }
}
