import DequeModule

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
