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

    /// The letters of a build request in their order.
    private struct Lane {
        var letters: Deque<Letter> = []
        var byteCount = 0

        var isHindered: Bool { letters.first?.hindrance != nil }
    }

    /// How many letters may be on their way at once.
    let limit: Int
    /// How many letters are open.
    private(set) var count = 0

    /// How large the reports of all letters are together.
    private(set) var byteCount = 0
    /// How large those are that wait behind a letter which was tried in vain, and that letter.
    private(set) var hinderedByteCount = 0

    private var lanes: [Int: Lane] = [:]
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
        change(letter.lane) { lane in
            lane.letters.append(letter)
            lane.byteCount += letter.byteCount
        }
        if lanes[letter.lane]?.letters.count == 1 { heads.insert(Head(letter)) }
    }

    /// Changes a lane and keeps the sums right.
    private mutating func change(_ id: Int, _ body: (inout Lane) -> Void) {
        var lane = lanes.removeValue(forKey: id) ?? Lane()
        byteCount -= lane.byteCount
        if lane.isHindered { hinderedByteCount -= lane.byteCount }
        body(&lane)
        byteCount += lane.byteCount
        if lane.isHindered { hinderedByteCount += lane.byteCount }
        if !lane.letters.isEmpty { lanes[id] = lane }
    }

    /// Takes the letter that has been due longest; it is then on its way.
    mutating func next(at now: Duration) -> Letter? {
        guard let due = nextDue, due <= now, let head = heads.popMin() else { return nil }
        busyLanes.insert(head.lane)
        return lanes[head.lane]?.letters.first
    }

    /// Takes out a letter that was on its way and lets the one behind it come forward.
    mutating func remove(_ letter: Letter) {
        land(letter)
        count -= 1
        change(letter.lane) { lane in
            let removed = lane.letters.removeFirst()
            lane.byteCount -= removed.byteCount
        }
        if let next = lanes[letter.lane]?.letters.first { heads.insert(Head(next)) }
    }

    /// Puts a letter that was on its way back to the head of its lane.
    mutating func putBack(_ letter: Letter) {
        land(letter)
        change(letter.lane) { $0.letters[0] = letter }
        heads.insert(Head(letter))
    }

    private mutating func land(_ letter: Letter) {
        let head = lanes[letter.lane]?.letters.first
        precondition(
            head?.id == letter.id && busyLanes.remove(letter.lane) != nil,
            "the letter \(letter.id) is not on its way")
    }
}

/// What happens now and then, and may look at every letter.
extension LetterQueue {
    /// The letters that are not on their way and are first in their lanes.
    var waitingHeads: some Sequence<Letter> {
        lanes.lazy.filter { !busyLanes.contains($0.key) }.compactMap(\.value.letters.first)
    }

    /// The lanes whose first letter was tried in vain in this run.
    var hinderedLanes: Set<Int> { Set(lanes.lazy.filter(\.value.isHindered).map(\.key)) }

    /// Changes what waits at the head of each lane.
    mutating func changeWaitingHeads(_ change: (inout Letter) -> Void) {
        for id in Array(lanes.keys) where !busyLanes.contains(id) {
            self.change(id) { change(&$0.letters[0]) }
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
        let underWay = Set(busyLanes.compactMap { lanes[$0]?.letters.first?.id })
        for letter in open where !underWay.contains(letter.id) { insert(letter) }
        let gone = closed.subtracting(underWay)
        if !gone.isEmpty { removeWaiting(gone) }
        renewHeads()
        return underWay.intersection(closed.union(open.map(\.id)))
    }

    private mutating func insert(_ letter: Letter) {
        let first = busyLanes.contains(letter.lane) ? 1 : 0
        var isNew = true
        change(letter.lane) { lane in
            if let place = lane.letters.firstIndex(where: { $0.id == letter.id }) {
                lane.byteCount += letter.byteCount - lane.letters[place].byteCount
                lane.letters[place] = letter
                isNew = false
                return
            }
            let place = lane.letters.indices.dropFirst(first).first { index in
                let other = lane.letters[index]
                return (letter.eventSequence, letter.part) < (other.eventSequence, other.part)
            }
            lane.letters.insert(letter, at: place ?? lane.letters.endIndex)
            lane.byteCount += letter.byteCount
        }
        if isNew { count += 1 }
    }

    private mutating func removeWaiting(_ ids: Set<Int>) {
        for (id, lane) in lanes where lane.letters.contains(where: { ids.contains($0.id) }) {
            let kept = lane.letters.filter { !ids.contains($0.id) }
            count -= lane.letters.count - kept.count
            change(id) { lane in
                lane.letters = Deque(kept)
                lane.byteCount = kept.reduce(0) { $0 + $1.byteCount }
            }
        }
    }

    private mutating func renewHeads() {
        heads = Heap(waitingHeads.map(Head.init))
    }
}
