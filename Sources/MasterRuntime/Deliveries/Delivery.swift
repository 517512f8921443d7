import DequeModule
import FoundationEssentials
import HeapModule
import MasterKit

/// A report on its way: the row of a delivery that is open.
struct Delivery: Sendable {
    /// The row.
    let id: Int
    /// The event that is reported.
    let eventSequence: Int
    /// Which of the reporter's generators made it.
    let part: Int
    /// Deliveries of one lane arrive in order.
    let lane: Int
    /// How often it was tried.
    var attempts: Int
    /// How many of these tries came before its schedule began anew.
    var triesBefore = 0
    /// When its schedule began.
    var since = Date.distantPast
    /// When it may be tried, on the clock of the deliveries.
    var due: Duration
    /// Until when its receiver has asked to be left alone.
    var notBefore: Date?
    /// What was in the way when it was tried last in this run.
    var failureKind: FailureKind?
    /// Scheme, host and port of where it goes, when that depends on the report.
    var origin = ""
    /// How large the stored report is; it is read when it is sent.
    let byteCount: Int
}

extension Delivery {
    /// The delivery as it is due now, or when its receiver has asked for it.
    func due(on clock: DeliveryClock) -> Delivery {
        var delivery = self
        let wait = notBefore.map { Duration.seconds($0.timeIntervalSince(clock.now)) } ?? .zero
        // A clock on the wall that was set back must not hold a report back for long.
        let bounded = min(max(wait, .zero), RetrySchedule.longestAskedFor)
        delivery.due = clock.elapsed + bounded
        return delivery
    }
}

/// What kept a report from being delivered, as far as waiting goes.
enum FailureKind: Sendable, Hashable {
    /// Nobody was there; whoever is, gets it at once.
    case absence
    /// The receiver could not take it just then.
    case busyness
    /// The receiver does not want it as things stand.
    case refusal
}

/// The name of a delivery for its receiver, the same on every try.
struct DeliveryID: Sendable, CustomStringConvertible {
    /// The name of the store.
    let store: String
    /// The row of the reporter.
    let reporter: Int
    /// The event that is reported.
    let event: Int
    /// Which of the reporter's generators made it.
    let part: Int

    /// The name as it is sent.
    var description: String { "msg_\(store)_\(reporter)_\(event)_\(part)" }
}

/// What has become of a delivery, as it stands in its row.
public enum DeliveryState: String, Sendable, Hashable, CaseIterable {
    /// It is to be sent.
    case open
    /// The receiver has it.
    case delivered
    /// It is not sent any more.
    case dead
    /// Its reporter is not configured at present.
    case parked
    /// No generator made a report of the event.
    case nothing
}

/// Why a report cannot be sent though nobody was asked yet.
struct DeliveryFault: Error, CustomStringConvertible {
    /// The reason, in a sentence.
    let description: String

    /// Makes a fault of its reason.
    init(_ reason: String) {
        description = reason
    }
}

/// The open deliveries of a reporter: of each lane the first is sent, the others wait for it.
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

    /// The deliveries of a build request in their order.
    private struct Lane {
        var deliveries: Deque<Delivery> = []
        var byteCount = 0

        var hasFailed: Bool { deliveries.first?.failureKind != nil }
    }

    /// How many deliveries may be in flight at once to one place.
    let limit: Int
    /// How many deliveries are open.
    private(set) var count = 0

    /// How large the reports of all deliveries are together.
    private(set) var byteCount = 0
    /// How large those are that wait behind a delivery which was tried in vain, and that delivery.
    private(set) var failedByteCount = 0

    private var lanes: [Int: Lane] = [:]
    /// The heads by where they go.
    private var heads: [String: Heap<Head>] = [:]
    /// How many deliveries are in flight to each place.
    private var busyCounts: [String: Int] = [:]
    /// The lanes whose first delivery is in flight.
    private var busyLanes: Set<Int> = []

    /// Makes an empty queue.
    init(limit: Int) {
        self.limit = limit
    }

    /// How many deliveries are in flight.
    var underWay: Int { busyLanes.count }

    /// When the next delivery may be sent; `nil` while there is none that may go anywhere.
    var nextDue: Duration? { nextHead?.due }

    /// The head that is due first of those that go where not too much is in flight.
    private var nextHead: Head? {
        heads.lazy.filter { busyCounts[$0.key, default: 0] < limit }.compactMap(\.value.min).min()
    }

    /// Adds a delivery at the end of its lane.
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

    /// Changes a lane and keeps the sums right.
    private mutating func change(_ id: Int, _ body: (inout Lane) -> Void) {
        var lane = lanes.removeValue(forKey: id) ?? Lane()
        byteCount -= lane.byteCount
        if lane.hasFailed { failedByteCount -= lane.byteCount }
        body(&lane)
        byteCount += lane.byteCount
        if lane.hasFailed { failedByteCount += lane.byteCount }
        if !lane.deliveries.isEmpty { lanes[id] = lane }
    }

    /// Takes the delivery that has been due longest; it is then on its way.
    mutating func next(at now: Duration) -> Delivery? {
        guard let head = nextHead, head.due <= now else { return nil }
        _ = heads[head.origin]?.popMin()
        if heads[head.origin]?.isEmpty == true { heads[head.origin] = nil }
        busyLanes.insert(head.lane)
        busyCounts[head.origin, default: 0] += 1
        return lanes[head.lane]?.deliveries.first
    }

    /// Takes out a delivery that was in flight and lets the one behind it come forward.
    mutating func remove(_ delivery: Delivery) {
        land(delivery)
        count -= 1
        change(delivery.lane) { lane in
            let removed = lane.deliveries.removeFirst()
            lane.byteCount -= removed.byteCount
        }
        if let next = lanes[delivery.lane]?.deliveries.first { insertHead(next) }
    }

    /// Puts a delivery that was in flight back to the head of its lane.
    mutating func putBack(_ delivery: Delivery) {
        land(delivery)
        change(delivery.lane) { $0.deliveries[0] = delivery }
        insertHead(delivery)
    }

    private mutating func land(_ delivery: Delivery) {
        let head = lanes[delivery.lane]?.deliveries.first
        precondition(
            head?.id == delivery.id && busyLanes.remove(delivery.lane) != nil,
            "the delivery \(delivery.id) is not in flight")
        let count = busyCounts[delivery.origin, default: 1] - 1
        busyCounts[delivery.origin] = count == 0 ? nil : count
    }
}

/// What happens now and then, and may look at every delivery.
extension DeliveryQueue {
    /// The deliveries that are not in flight and are first in their lanes.
    var waitingHeads: some Sequence<Delivery> {
        lanes.lazy.filter { !busyLanes.contains($0.key) }.compactMap(\.value.deliveries.first)
    }

    /// The lanes whose first delivery was tried in vain in this run.
    var hinderedLanes: Set<Int> { Set(lanes.lazy.filter(\.value.hasFailed).map(\.key)) }

    /// Changes what waits at the head of each lane.
    mutating func changeWaitingHeads(_ change: (inout Delivery) -> Void) {
        for id in Array(lanes.keys) where !busyLanes.contains(id) {
            self.change(id) { change(&$0.deliveries[0]) }
        }
        renewHeads()
    }

    /// Takes over how deliveries stand in the store after somebody else has changed them.
    ///
    /// - Parameters:
    ///   - open: Deliveries that are open now; they are inserted where they belong.
    ///   - closed: Rows that are open no more.
    /// - Returns: The rows that are in flight just now, which are left as they are.
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
