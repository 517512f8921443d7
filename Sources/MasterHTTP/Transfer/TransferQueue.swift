/// How many transfers may be under way.
struct TransferLimits: Sendable {
    let inFlight: Int
    let perHost: Int

    /// Makes limits of at least one.
    init(inFlight: Int, perHost: Int) {
        self.inFlight = max(1, inFlight)
        self.perHost = max(1, perHost)
    }
}

/// What waits for a free slot: hosts take turns, and within a host the first come is served first.
struct TransferQueue<Element> {
    private struct Lane {
        var waiting: [Element] = []
        var next = 0
        var running = 0
        var isReady = false
    }

    private let limits: TransferLimits
    private var lanes: [String: Lane] = [:]
    private var ready: [String] = []
    private var nextReady = 0
    private var running = 0

    init(_ limits: TransferLimits) {
        self.limits = limits
    }

    /// Puts an element behind those of its host.
    mutating func append(_ element: Element, host: String) {
        lanes[host, default: Lane()].waiting.append(element)
        markReady(host)
    }

    /// The next element that may start; it holds a slot until `finish`.
    mutating func start() -> Element? {
        guard running < limits.inFlight, nextReady < ready.count else { return nil }
        let host = ready[nextReady]
        nextReady += 1
        if nextReady == ready.count || nextReady >= 256 {
            ready.removeFirst(nextReady)
            nextReady = 0
        }
        guard let element = startFirst(of: host) else { return start() }
        return element
    }

    /// Gives back the slot of an element of the host.
    mutating func finish(host: String) {
        running -= 1
        lanes[host]?.running -= 1
        if let lane = lanes[host], lane.running == 0, lane.waiting.isEmpty {
            lanes[host] = nil
        } else {
            markReady(host)
        }
    }

    /// Removes and returns the waiting elements that match.
    mutating func removeWaiting(where matches: (Element) -> Bool) -> [Element] {
        var removed: [Element] = []
        for (host, lane) in lanes where !lane.waiting.isEmpty {
            let waiting = lane.waiting[lane.next...]
            let found = waiting.filter(matches)
            guard !found.isEmpty else { continue }
            removed += found
            lanes[host]?.waiting = waiting.filter { !matches($0) }
            lanes[host]?.next = 0
            if lanes[host]?.waiting.isEmpty == true, lane.running == 0 { lanes[host] = nil }
        }
        return removed
    }

    /// The waiting elements, in no order.
    var waiting: [Element] {
        lanes.values.flatMap { $0.waiting[$0.next...] }
    }

    private mutating func startFirst(of host: String) -> Element? {
        guard var lane = lanes[host] else { return nil }
        lane.isReady = false
        guard lane.next < lane.waiting.count else {
            lanes[host] = lane
            return nil
        }
        let element = lane.waiting[lane.next]
        lane.next += 1
        lane.running += 1
        running += 1
        if lane.next == lane.waiting.count || lane.next >= 256 {
            lane.waiting.removeFirst(lane.next)
            lane.next = 0
        }
        lanes[host] = lane
        markReady(host)
        return element
    }

    private mutating func markReady(_ host: String) {
        guard let lane = lanes[host], !lane.isReady, lane.next < lane.waiting.count,
            lane.running < limits.perHost
        else { return }
        lanes[host]?.isReady = true
        ready.append(host)
    }
}
