/// The maximum numbers of active transfers.
struct TransferLimits: Sendable {
    let inFlight: Int
    let perHost: Int

    /// Creates limits of at least one.
    init(inFlight: Int, perHost: Int) {
        self.inFlight = max(1, inFlight)
        self.perHost = max(1, perHost)
    }
}

/// A queue for free slots: round-robin between hosts, first come, first served for each host.
struct HostQueue<Element> {
    /// The waiting and running elements of one host.
    private final class Lane {
        let host: String
        var waiting = FirstInFirstOut<Element>()
        var running = 0
        var isReady = false

        init(host: String) {
            self.host = host
        }
    }

    private let limits: TransferLimits
    private var lanes: [String: Lane] = [:]
    private var ready = FirstInFirstOut<Lane>()
    private var running = 0

    init(_ limits: TransferLimits) {
        self.limits = limits
    }

    /// The waiting elements, in no particular order.
    var waiting: [Element] {
        lanes.values.flatMap(\.waiting.elements)
    }

    /// Appends an element to the queue of its host.
    mutating func append(_ element: Element, host: String) {
        let lane: Lane
        if let known = lanes[host] {
            lane = known
        } else {
            lane = Lane(host: host)
            lanes[host] = lane
        }
        lane.waiting.append(element)
        markReady(lane)
    }

    /// The next element that may start; it occupies a slot until `finish`.
    mutating func start() -> Element? {
        while running < limits.inFlight, let lane = ready.popFirst() {
            lane.isReady = false
            guard lane.running < limits.perHost, let element = lane.waiting.popFirst() else {
                continue
            }
            lane.running += 1
            running += 1
            markReady(lane)
            return element
        }
        return nil
    }

    /// Frees the slot of an element of the host.
    mutating func finish(host: String) {
        guard let lane = lanes[host] else { return }
        running -= 1
        lane.running -= 1
        markReady(lane)
        forgetIfIdle(lane)
    }

    /// Removes and returns the waiting elements that match.
    mutating func removeWaiting(where matches: (Element) -> Bool) -> [Element] {
        var removed: [Element] = []
        for lane in Array(lanes.values) {
            removed += lane.waiting.removeAll(where: matches)
            forgetIfIdle(lane)
        }
        return removed
    }

    private mutating func markReady(_ lane: Lane) {
        guard !lane.isReady, !lane.waiting.isEmpty, lane.running < limits.perHost else { return }
        lane.isReady = true
        ready.append(lane)
    }

    /// Removes an idle host, but only if there are many, not after each request.
    private mutating func forgetIfIdle(_ lane: Lane) {
        guard lanes.count > 64, lane.running == 0, lane.waiting.isEmpty else { return }
        lanes[lane.host] = nil
    }
}

/// A FIFO queue.
struct FirstInFirstOut<Element> {
    private var storage: [Element] = []
    private var first = 0

    var isEmpty: Bool { first == storage.count }

    /// The elements, in order.
    var elements: ArraySlice<Element> { storage[first...] }

    mutating func append(_ element: Element) {
        storage.append(element)
    }

    mutating func popFirst() -> Element? {
        guard first < storage.count else { return nil }
        let element = storage[first]
        first += 1
        if first == storage.count {
            storage.removeAll(keepingCapacity: first <= 256)
            first = 0
        } else if first >= 256 {
            storage.removeFirst(first)
            first = 0
        }
        return element
    }

    /// Removes and returns the elements that match.
    mutating func removeAll(where matches: (Element) -> Bool) -> [Element] {
        let removed = elements.filter(matches)
        guard !removed.isEmpty else { return [] }
        storage = elements.filter { !matches($0) }
        first = 0
        return removed
    }
}
