import DequeModule
import HeapModule

/// The open letters of a reporter: of each lane the first is sent, the others wait for it.
struct LetterQueue: Sendable {
    /// The first letter of a lane that is not on its way.
    private struct Head: Comparable {
        let due: Duration
        let eventSequence: Int
        let part: Int
        let lane: Int

        init(_ letter: Letter) {
            due = letter.due
            eventSequence = letter.eventSequence
            part = letter.part
            lane = letter.lane
        }

        static func < (one: Self, other: Self) -> Bool {
            (one.due, one.eventSequence, one.part) < (other.due, other.eventSequence, other.part)
        }
    }

    /// How many letters may be on their way at once.
    let limit: Int
    /// How many letters are on their way.
    private(set) var underWay = 0
    /// How many letters are open.
    private(set) var count = 0

    private var lanes: [Int: Deque<Letter>] = [:]
    private var heads: Heap<Head> = []

    /// Makes an empty queue.
    init(limit: Int) {
        self.limit = limit
    }

    /// When the next letter may be sent; `nil` while there is none or all places are taken.
    var nextDue: Duration? {
        underWay < limit ? heads.min?.due : nil
    }

    /// Adds a letter at the end of its lane.
    mutating func add(_ letter: Letter) {
        count += 1
        lanes[letter.lane, default: []].append(letter)
        if lanes[letter.lane]?.count == 1 { heads.insert(Head(letter)) }
    }

    /// Takes the letter that has been due longest; it is then on its way.
    mutating func next(at now: Duration) -> Letter? {
        guard let due = nextDue, due <= now, let head = heads.popMin() else { return nil }
        underWay += 1
        return lanes[head.lane]?.first
    }

    /// Takes out a letter that was on its way and lets the one behind it come forward.
    mutating func remove(_ letter: Letter) {
        land(letter)
        count -= 1
        lanes[letter.lane]?.removeFirst()
        if let next = lanes[letter.lane]?.first {
            heads.insert(Head(next))
        } else {
            lanes[letter.lane] = nil
        }
    }

    /// Puts a letter that was on its way back to the head of its lane.
    mutating func putBack(_ letter: Letter) {
        land(letter)
        lanes[letter.lane]?[0] = letter
        heads.insert(Head(letter))
    }

    private mutating func land(_ letter: Letter) {
        let head = lanes[letter.lane]?.first
        precondition(head?.id == letter.id, "the letter \(letter.id) is not on its way")
        underWay -= 1
    }
}
