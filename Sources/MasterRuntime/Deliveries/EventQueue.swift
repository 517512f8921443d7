import DequeModule

/// Tracks the progress of a reporter's events: the highest sequence number below which none is
/// open.
struct EventCursor: Sendable {
    /// The sequence number up to which everything is done.
    private(set) var value: Int
    /// The highest sequence number that was ever begun or skipped.
    private(set) var newest: Int

    private var open: Deque<Int> = []
    private var done: Set<Int> = []

    /// Creates a cursor at a sequence number.
    init(at value: Int) {
        self.value = value
        newest = value
    }

    /// Begins an event; sequence numbers must increase.
    mutating func begin(_ sequence: Int) {
        precondition(sequence > newest, "the event \(sequence) comes after \(newest)")
        newest = sequence
        open.append(sequence)
    }

    /// Skips all events up to a sequence number that were not begun.
    mutating func pass(_ sequence: Int) {
        newest = max(newest, sequence)
        if open.isEmpty { value = newest }
    }

    /// Finishes an event, and advances if it was the first open one.
    mutating func finish(_ sequence: Int) {
        guard sequence > value else { return }
        value = value(finishing: sequence)
        done.insert(sequence)
        while let first = open.first, done.remove(first) != nil { open.removeFirst() }
    }

    /// The value of the cursor after an event is finished.
    func value(finishing sequence: Int) -> Int {
        guard open.first == sequence else { return value }
        let others = open.dropFirst()
        let ended = others.prefix { done.contains($0) }
        return ended.count == others.count ? newest : ended.last ?? sequence
    }
}

/// A queue of work that is processed concurrently across lanes and in order within each lane.
struct LaneQueue<Element: Sendable>: Sendable {
    private var lanes: [Int: Deque<Element>] = [:]
    private var idle: Deque<Int> = []

    /// The number of elements that are queued or being processed.
    private(set) var count = 0

    /// Appends an element to its lane.
    mutating func add(_ element: Element, to lane: Int) {
        count += 1
        lanes[lane, default: []].append(element)
        if lanes[lane]?.count == 1 { idle.append(lane) }
    }

    /// Returns the head of an idle lane, which is being processed from then on.
    mutating func next() -> (lane: Int, element: Element)? {
        guard let lane = idle.popFirst(), let element = lanes[lane]?.first else { return nil }
        return (lane, element)
    }

    /// Removes the processed head of a lane; the next element becomes the head.
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
