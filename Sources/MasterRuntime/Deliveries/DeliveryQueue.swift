import DequeModule
import HeapModule

/// The open deliveries of a reporter. Only the first delivery of each lane is sent; the others wait
/// for it.
struct DeliveryQueue: Sendable {
    /// The first delivery of a lane that is not in flight.
    private struct Head: Comparable {
        let due: Duration
        let eventSequence: Int
        let part: Int
        let lane: Int
        let origin: String

        init(_ delivery: Delivery) {
            due = delivery.due
            eventSequence = delivery.eventSequence
            part = delivery.part
            lane = delivery.lane
            origin = delivery.origin
        }

        static func < (one: Self, other: Self) -> Bool {
            (one.due, one.eventSequence, one.part) < (other.due, other.eventSequence, other.part)
        }
    }

    /// The deliveries of a lane in order.
    private struct Lane {
        var deliveries: Deque<Delivery> = []
        var byteCount = 0

        var hasFailed: Bool { deliveries.first?.failureKind != nil }
    }

    /// The maximum number of deliveries in flight to one origin.
    let limit: Int
    /// The number of open deliveries.
    private(set) var count = 0

    /// The total size of all reports in bytes.
    private(set) var byteCount = 0
    /// The total size of the reports in lanes whose first delivery has failed.
    private(set) var failedByteCount = 0

    private var lanes: [Int: Lane] = [:]
    /// The heads by origin.
    private var heads: [String: Heap<Head>] = [:]
    /// The number of deliveries in flight to each origin.
    private var busyCounts: [String: Int] = [:]
    /// The lanes whose first delivery is in flight.
    private var busyLanes: Set<Int> = []

    /// Creates an empty queue.
    init(limit: Int) {
        self.limit = limit
    }

    /// The number of deliveries in flight.
    var underWay: Int { busyLanes.count }

    /// When the next delivery is due; `nil` if none can be sent at present.
    var nextDue: Duration? { nextHead?.due }

    /// The head that is due first, among the origins that are below the limit.
    private var nextHead: Head? {
        heads.lazy.filter { busyCounts[$0.key, default: 0] < limit }.compactMap(\.value.min).min()
    }

    /// Appends a delivery to its lane.
    mutating func add(_ delivery: Delivery) {
        count += 1
        change(delivery.lane) { lane in
            lane.deliveries.append(delivery)
            lane.byteCount += delivery.byteCount
        }
        if lanes[delivery.lane]?.deliveries.count == 1 { insertHead(delivery) }
    }

    private mutating func insertHead(_ delivery: Delivery) {
        heads[delivery.origin, default: []].insert(Head(delivery))
    }

    /// Changes a lane and updates the totals.
    private mutating func change(_ id: Int, _ body: (inout Lane) -> Void) {
        var lane = lanes.removeValue(forKey: id) ?? Lane()
        byteCount -= lane.byteCount
        if lane.hasFailed { failedByteCount -= lane.byteCount }
        body(&lane)
        byteCount += lane.byteCount
        if lane.hasFailed { failedByteCount += lane.byteCount }
        if !lane.deliveries.isEmpty { lanes[id] = lane }
    }

    /// Takes the delivery that has been due the longest; it is in flight afterwards.
    mutating func next(at now: Duration) -> Delivery? {
        guard let head = nextHead, head.due <= now else { return nil }
        _ = heads[head.origin]?.popMin()
        if heads[head.origin]?.isEmpty == true { heads[head.origin] = nil }
        busyLanes.insert(head.lane)
        busyCounts[head.origin, default: 0] += 1
        return lanes[head.lane]?.deliveries.first
    }

    /// Removes a delivery that was in flight; the next one in its lane becomes the head.
    mutating func remove(_ delivery: Delivery) {
        finish(delivery)
        count -= 1
        change(delivery.lane) { lane in
            let removed = lane.deliveries.removeFirst()
            lane.byteCount -= removed.byteCount
        }
        if let next = lanes[delivery.lane]?.deliveries.first { insertHead(next) }
    }

    /// Puts a delivery that was in flight back at the head of its lane.
    mutating func putBack(_ delivery: Delivery) {
        finish(delivery)
        change(delivery.lane) { $0.deliveries[0] = delivery }
        insertHead(delivery)
    }

    private mutating func finish(_ delivery: Delivery) {
        let head = lanes[delivery.lane]?.deliveries.first
        precondition(
            head?.id == delivery.id && busyLanes.remove(delivery.lane) != nil,
            "the delivery \(delivery.id) is not in flight")
        let count = busyCounts[delivery.origin, default: 1] - 1
        busyCounts[delivery.origin] = count == 0 ? nil : count
    }
}

/// Operations that are rare, and may therefore look at every delivery.
extension DeliveryQueue {
    /// The heads of lanes that are not in flight.
    var waitingHeads: some Sequence<Delivery> {
        lanes.lazy.filter { !busyLanes.contains($0.key) }.compactMap(\.value.deliveries.first)
    }

    /// The lanes whose first delivery has failed in this run.
    var failedLanes: Set<Int> { Set(lanes.lazy.filter(\.value.hasFailed).map(\.key)) }

    /// Changes the head of each lane, unless it is in flight.
    mutating func changeWaitingHeads(_ change: (inout Delivery) -> Void) {
        for id in Array(lanes.keys) where !busyLanes.contains(id) {
            self.change(id) { change(&$0.deliveries[0]) }
        }
        renewHeads()
    }

    /// Applies changes that other processes have made to deliveries in the store.
    ///
    /// - Parameters:
    ///   - open: Deliveries that are open now; they are inserted in order.
    ///   - closed: Rows that are no longer open.
    /// - Returns: The rows that are currently in flight, which are left unchanged.
    mutating func take(open: [Delivery], closed: Set<Int>) -> Set<Int> {
        let underWay = Set(busyLanes.compactMap { lanes[$0]?.deliveries.first?.id })
        for delivery in open where !underWay.contains(delivery.id) { insert(delivery) }
        let gone = closed.subtracting(underWay)
        if !gone.isEmpty { removeWaiting(gone) }
        renewHeads()
        return underWay.intersection(closed.union(open.map(\.id)))
    }

    private mutating func insert(_ delivery: Delivery) {
        let first = busyLanes.contains(delivery.lane) ? 1 : 0
        var isNew = true
        change(delivery.lane) { lane in
            if let place = lane.deliveries.firstIndex(where: { $0.id == delivery.id }) {
                lane.byteCount += delivery.byteCount - lane.deliveries[place].byteCount
                lane.deliveries[place] = delivery
                isNew = false
                return
            }
            let place = lane.deliveries.indices.dropFirst(first).first { index in
                let other = lane.deliveries[index]
                return (delivery.eventSequence, delivery.part) < (other.eventSequence, other.part)
            }
            lane.deliveries.insert(delivery, at: place ?? lane.deliveries.endIndex)
            lane.byteCount += delivery.byteCount
        }
        if isNew { count += 1 }
    }

    private mutating func removeWaiting(_ ids: Set<Int>) {
        for (id, lane) in lanes where lane.deliveries.contains(where: { ids.contains($0.id) }) {
            let kept = lane.deliveries.filter { !ids.contains($0.id) }
            count -= lane.deliveries.count - kept.count
            change(id) { lane in
                lane.deliveries = Deque(kept)
                lane.byteCount = kept.reduce(0) { $0 + $1.byteCount }
            }
        }
    }

    private mutating func renewHeads() {
        heads = Dictionary(grouping: waitingHeads.map(Head.init), by: \.origin).mapValues(Heap.init)
    }
}

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
