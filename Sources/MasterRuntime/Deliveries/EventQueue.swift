import DequeModule

/// How far the events of a reporter are done: the highest sequence below which none is open.
struct EventCursor: Sendable {
    /// The sequence up to which everything is done.
    private(set) var value: Int
    /// The highest sequence that was ever begun or passed over.
    private(set) var newest: Int

    private var open: Deque<Int> = []
    private var done: Set<Int> = []

    /// Makes a cursor that stands at a sequence.
    init(at value: Int) {
        self.value = value
        newest = value
    }

    /// Begins an event; sequences only rise.
    mutating func begin(_ sequence: Int) {
        precondition(sequence > newest, "the event \(sequence) comes after \(newest)")
        newest = sequence
        open.append(sequence)
    }

    /// Passes over all events up to a sequence that were not begun.
    mutating func pass(_ sequence: Int) {
        newest = max(newest, sequence)
        if open.isEmpty { value = newest }
    }

    /// Ends an event, and moves on when it was the first one open.
    mutating func finish(_ sequence: Int) {
        guard sequence > value else { return }
        value = value(finishing: sequence)
        done.insert(sequence)
        while let first = open.first, done.remove(first) != nil { open.removeFirst() }
    }

    /// Where the cursor stands once an event has ended.
    func value(finishing sequence: Int) -> Int {
        guard open.first == sequence else { return value }
        let others = open.dropFirst()
        let ended = others.prefix { done.contains($0) }
        return ended.count == others.count ? newest : ended.last ?? sequence
    }
}

/// What waits to be worked on: side by side in different lanes, in order within each.
struct LaneQueue<Element: Sendable>: Sendable {
    private var lanes: [Int: Deque<Element>] = [:]
    private var idle: Deque<Int> = []

    /// How many elements wait or are being worked on.
    private(set) var count = 0

    /// Adds an element at the end of its lane.
    mutating func add(_ element: Element, to lane: Int) {
        count += 1
        lanes[lane, default: []].append(element)
        if lanes[lane]?.count == 1 { idle.append(lane) }
    }

    /// The head of a lane that nobody works on, which is then being worked on.
    mutating func next() -> (lane: Int, element: Element)? {
        guard let lane = idle.popFirst(), let element = lanes[lane]?.first else { return nil }
        return (lane, element)
    }

    /// Ends the work on the head of a lane and lets the one behind it come forward.
    mutating func finish(_ lane: Int) {
        precondition(lanes[lane]?.popFirst() != nil, "the lane \(lane) is not being worked on")
        count -= 1
        if lanes[lane]?.isEmpty == true {
            lanes[lane] = nil
        } else {
            idle.append(lane)
        }
    }
}
