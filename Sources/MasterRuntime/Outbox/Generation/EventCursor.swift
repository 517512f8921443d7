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
