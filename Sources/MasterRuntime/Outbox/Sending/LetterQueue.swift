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
    /// How many letters are open.
    private(set) var count = 0

    private var lanes: [Int: Deque<Letter>] = [:]
    private var heads: Heap<Head> = []
    /// The lanes whose first letter is on its way.
    private var busyLanes: Set<Int> = []

    /// Makes an empty queue.
    init(limit: Int) {
        self.limit = limit
    }

    /// How many letters are on their way.
    var underWay: Int { busyLanes.count }

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
        busyLanes.insert(head.lane)
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
        precondition(
            head?.id == letter.id && busyLanes.remove(letter.lane) != nil,
            "the letter \(letter.id) is not on its way"
        )
    }
}

/// What happens now and then, and may look at every letter.
extension LetterQueue {
    /// The letters that are not on their way and are first in their lanes.
    var waitingHeads: some Sequence<Letter> {
        lanes.lazy.filter { !busyLanes.contains($0.key) }.compactMap(\.value.first)
    }

    /// How much of the memory for reports all letters take.
    var byteCount: Int {
        lanes.values.reduce(0) { sum, lane in lane.reduce(sum) { $0 + $1.byteCount } }
    }

    /// Changes what waits at the head of each lane.
    mutating func changeWaitingHeads(_ change: (inout Letter) -> Void) {
        for lane in lanes.keys where !busyLanes.contains(lane) {
            if lanes[lane]?.isEmpty == false { change(&lanes[lane, default: []][0]) }
        }
        renewHeads()
    }

    /// Takes over how letters stand in the store after somebody else has changed them.
    ///
    /// - Parameters:
    ///   - open: Letters that are open now; they are inserted where they belong.
    ///   - closed: Rows that are open no more.
    /// - Returns: The rows that are on their way just now, which are left as they are.
    mutating func take(open: [Letter], closed: Set<Int>) -> Set<Int> {
        let underWay = Set(busyLanes.compactMap { lanes[$0]?.first?.id })
        for letter in open where !underWay.contains(letter.id) { insert(letter) }
        let gone = closed.subtracting(underWay)
        if !gone.isEmpty { removeWaiting(gone) }
        renewHeads()
        return underWay.intersection(closed.union(open.map(\.id)))
    }

    private mutating func insert(_ letter: Letter) {
        var lane = lanes[letter.lane] ?? []
        if let place = lane.firstIndex(where: { $0.id == letter.id }) {
            lane[place] = letter
        } else {
            let first = busyLanes.contains(letter.lane) ? 1 : 0
            let place = lane.indices.dropFirst(first).first { index in
                (letter.eventSequence, letter.part)
                    < (lane[index].eventSequence, lane[index].part)
            }
            lane.insert(letter, at: place ?? lane.endIndex)
            count += 1
        }
        lanes[letter.lane] = lane
    }

    private mutating func removeWaiting(_ ids: Set<Int>) {
        for (lane, letters) in lanes {
            let left = letters.filter { !ids.contains($0.id) }
            count -= letters.count - left.count
            lanes[lane] = left.isEmpty ? nil : left
        }
    }

    private mutating func renewHeads() {
        heads = Heap(waitingHeads.map(Head.init))
    }
}
