import Testing

@testable import MasterRuntime

struct LetterQueueTests {
    private static func letter(_ id: Int, lane: Int, due: Int = 0, byteCount: Int = 0) -> Letter {
        Letter(
            id: id, eventSequence: id, part: 0, lane: lane, attempts: 0, due: .seconds(due),
            byteCount: byteCount)
    }

    private static func queue(limit: Int = 8, _ letters: Letter...) -> LetterQueue {
        var queue = LetterQueue(limit: limit)
        for letter in letters { queue.add(letter) }
        return queue
    }

    @Test func `only the head of a lane is sent`() throws {
        var queue = Self.queue(Self.letter(1, lane: 1), Self.letter(2, lane: 1))
        let head = queue.next(at: .zero)
        let first = try #require(head)
        #expect(first.id == 1)
        #expect(queue.next(at: .zero) == nil)
        queue.remove(first)
        #expect(queue.next(at: .zero)?.id == 2)
    }

    @Test func `no more than the limit are on their way`() throws {
        var queue = Self.queue(limit: 2, Self.letter(1, lane: 1), Self.letter(2, lane: 2))
        queue.add(Self.letter(3, lane: 3))
        let head = queue.next(at: .zero)
        let first = try #require(head)
        #expect(queue.next(at: .zero)?.id == 2)
        #expect(queue.next(at: .zero) == nil)
        #expect(queue.nextDue == nil)
        queue.remove(first)
        #expect(queue.next(at: .zero)?.id == 3)
    }

    @Test func `what has been due longest is sent first`() {
        var queue = Self.queue(
            Self.letter(1, lane: 1, due: 3), Self.letter(2, lane: 2, due: 1),
            Self.letter(3, lane: 3, due: 2))
        #expect(queue.nextDue == .seconds(1))
        #expect(queue.next(at: .zero) == nil)
        let order = (1...3).map { _ in queue.next(at: .seconds(3))?.id }
        #expect(order == [2, 3, 1])
    }

    @Test func `a letter that is put back keeps its lane waiting until it is due`() throws {
        var queue = Self.queue(Self.letter(1, lane: 1), Self.letter(2, lane: 1))
        let head = queue.next(at: .zero)
        var letter = try #require(head)
        letter.due = .seconds(5)
        letter.attempts = 1
        queue.putBack(letter)
        #expect(queue.underWay == 0)
        #expect(queue.next(at: .seconds(4)) == nil)
        #expect(queue.nextDue == .seconds(5))
        #expect(queue.next(at: .seconds(5))?.attempts == 1)
    }

    @Test func `bytes are counted, those behind a letter that was tried in vain by themselves`()
        throws
    {
        var queue = Self.queue(
            Self.letter(1, lane: 1, byteCount: 10), Self.letter(2, lane: 1, byteCount: 5),
            Self.letter(3, lane: 2, byteCount: 100))
        #expect([queue.byteCount, queue.hinderedByteCount] == [115, 0])
        let head = queue.next(at: .zero)
        var first = try #require(head)
        first.hindrance = .absence
        queue.putBack(first)
        #expect([queue.byteCount, queue.hinderedByteCount] == [115, 15])
        #expect(queue.hinderedLanes == [1])
        let next = queue.next(at: .zero)
        let again = try #require(next)
        #expect(again.id == 1)
        queue.remove(again)
        #expect([queue.byteCount, queue.hinderedByteCount] == [105, 0])
        _ = queue.take(open: [Self.letter(4, lane: 1, byteCount: 1)], closed: [3])
        #expect([queue.byteCount, queue.count] == [6, 2])
    }
}
