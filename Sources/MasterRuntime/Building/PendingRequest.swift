internal import HeapModule
internal import MasterKit

extension RequestDistributor {
    /// A pending request.
    struct Pending: Sendable {
        let id: Int
        let builder: String
        var priority: Int
        /// The only worker that may run its build; `nil` for any of the builder's.
        var worker: String?
        /// The progress of its buildset, if anything waits for its builds.
        var progress: BuildsetProgress?
        /// The requests of the same buildset that must succeed first.
        var needs: Set<Int> = []
        /// The reason for skipping it, once one of these did not succeed.
        var skipReason: String?
        /// The steps that its build runs.
        var steps = StepSelection()
        /// The request of the build that waits for it.
        var parent: Int?
        /// Whether its result counts for nothing but itself.
        var isUnimportant = false
    }

    /// The pending requests of a new buildset, one for each of its builders.
    static func pending(
        _ requests: [BuildRequest], of builders: [BuilderConfiguration],
        _ progress: BuildsetProgress?, _ steps: StepSelection, on worker: String? = nil,
        awaitedBy parent: Int? = nil, isUnimportant: (String) -> Bool = { _ in false }
    ) -> [Pending] {
        let ids = Dictionary(
            zip(builders, requests).map { ($0.name, $1.id) }, uniquingKeysWith: { one, _ in one })
        return zip(requests, builders).map { request, builder in
            Pending(
                id: request.id, builder: builder.name, priority: request.priority,
                worker: worker, progress: progress,
                needs: Set(builder.needs.compactMap { ids[$0] }),
                steps: steps, parent: parent, isUnimportant: isUnimportant(builder.name))
        }
    }

    /// The reason for skipping a builder that needs another one, or `nil` if that one succeeded.
    static func skipReason(of builder: String, _ results: Results?) -> String? {
        switch results {
        case .success, .warnings: nil
        case .skipped: "'\(builder)' was skipped"
        case .cancelled: "'\(builder)' was cancelled"
        default: "'\(builder)' ended as \(Results.text(results))"
        }
    }
}

extension RequestDistributor.Pending: Comparable {
    static func == (one: Self, other: Self) -> Bool { one.id == other.id }

    static func < (one: Self, other: Self) -> Bool {
        one.priority == other.priority ? one.id < other.id : one.priority > other.priority
    }
}

/// Pending requests in the order in which they are built: by priority, then by age.
///
/// Many requests may be waiting for one busy builder, so only the first request of each lane is
/// compared: those of a builder that can begin alike.
struct PendingQueue {
    private typealias Lane = Heap<RequestDistributor.Pending>

    /// What decides whether the requests of a builder can begin.
    fileprivate struct Terms: Hashable {
        /// The worker that must build them; `nil` for any.
        let worker: String?
        /// Whether builds wait for them, so that they also begin while no others do.
        let isAwaited: Bool
    }

    /// The lanes of each builder.
    private var byBuilder: [String: [Terms: Lane]] = [:]
    /// The first request of each lane; may also contain stale entries that were the first before.
    private var heads = Heap<RequestDistributor.Pending>()
    /// The requests in `heads`, each of which is there once.
    private var listed: Set<Int> = []

    private var lanes: some Sequence<Lane> { byBuilder.values.lazy.flatMap(\.values) }

    private func head(ofLaneOf request: RequestDistributor.Pending) -> RequestDistributor.Pending? {
        byBuilder[request.builder]?[request.terms]?.min
    }

    mutating func add(_ request: RequestDistributor.Pending) {
        byBuilder[request.builder, default: [:]][request.terms, default: Lane()].insert(request)
        if head(ofLaneOf: request) == request { list(request) }
    }

    private mutating func list(_ head: RequestDistributor.Pending) {
        if listed.insert(head.id).inserted { heads.insert(head) }
    }

    /// The number of requests.
    var count: Int { lanes.reduce(0) { $0 + $1.count } }

    /// The builder of a request.
    func builder(ofRequest id: Int) -> String? {
        lanes.lazy.flatMap(\.unordered).first { $0.id == id }?.builder
    }

    /// The first request of each lane, in order.
    var firstOfEachLane: [RequestDistributor.Pending] { lanes.compactMap(\.min).sorted() }

    /// The first request of each lane of a builder.
    func firstOfLanes(of builder: String) -> [RequestDistributor.Pending] {
        byBuilder[builder]?.values.compactMap(\.min) ?? []
    }

    /// Returns the first request and skips it until it is put back or its build begins.
    mutating func takeFirst() -> RequestDistributor.Pending? {
        while let head = heads.popMin() {
            listed.remove(head.id)
            if self.head(ofLaneOf: head) == head { return head }
        }
        return nil
    }

    mutating func putBack(_ request: RequestDistributor.Pending) {
        list(request)
    }

    /// Removes a request returned by `takeFirst()`, because its build begins.
    mutating func remove(_ request: RequestDistributor.Pending) {
        byBuilder[request.builder]?[request.terms]?.removeMin()
        noteNewHead(of: request.builder, request.terms)
    }

    /// Removes requests that meet a condition, and returns them.
    mutating func removeAll(
        where condition: (RequestDistributor.Pending) -> Bool
    ) -> [RequestDistributor.Pending] {
        var removed: [RequestDistributor.Pending] = []
        for (builder, lanes) in byBuilder {
            for (terms, lane) in lanes {
                let gone = lane.unordered.filter(condition)
                guard !gone.isEmpty else { continue }
                removed += gone
                byBuilder[builder]?[terms] = Lane(lane.unordered.filter { !condition($0) })
                noteNewHead(of: builder, terms)
            }
        }
        return removed.sorted()
    }

    /// Changes the priority of a request, if it is there.
    mutating func change(_ id: Int, priority: Int) {
        // Only the whole order shows where it belongs, and this is rare.
        for var request in removeAll() {
            if request.id == id { request.priority = priority }
            add(request)
        }
    }

    mutating func removeAll() -> [RequestDistributor.Pending] {
        defer { self = PendingQueue() }
        return lanes.flatMap(\.unordered).sorted()
    }

    private mutating func noteNewHead(of builder: String, _ terms: Terms) {
        if let next = byBuilder[builder]?[terms]?.min { return list(next) }
        byBuilder[builder]?[terms] = nil
        if byBuilder[builder]?.isEmpty == true { byBuilder[builder] = nil }
    }
}

extension RequestDistributor.Pending {
    fileprivate var terms: PendingQueue.Terms {
        .init(worker: worker, isAwaited: parent != nil)
    }
}

extension RequestDistributor {
    /// A build that has been assigned to a worker.
    struct Running: Sendable {
        let builder: String
        let control: BuildControl
        let lease: WorkerPool.Lease
        /// The unfinished requests that a step of the build waits for, with their builders.
        var children: [Int: String] = [:]
        /// Whether its result counts for nothing but itself.
        var isUnimportant = false
        /// The number of waits during which the build needs no slot.
        var waitCount = 0
    }

    /// What waits and what runs.
    struct State {
        var queue = PendingQueue()
        /// The requests that wait for others to finish.
        var waiting: [Pending] = []
        /// The running builds by their requests.
        var running: [Int: Running] = [:]
        var locks = LockTable()
        var stopReason: String?
        /// Whether only builds begin that a running build waits for.
        var isHeld = false
        var isClosed = false

        /// Whether the build of a request may begin at all.
        func admits(_ request: Pending) -> Bool { !isHeld || request.parent != nil }

        /// Removes and returns the requests for which no build has been started.
        mutating func removeAll() -> [Pending] {
            defer { waiting = [] }
            return queue.removeAll() + waiting
        }

        /// Adds a request whose parent waits for it from now on.
        mutating func add(_ request: Pending) {
            if let parent = request.parent {
                running[parent]?.children[request.id] = request.builder
            }
            if request.needs.isEmpty || request.skipReason != nil {
                queue.add(request)
            } else {
                waiting.append(request)
            }
        }

        /// Notes that a request has ended.
        mutating func end(_ request: Pending) {
            if let parent = request.parent { running[parent]?.children[request.id] = nil }
        }
    }
}
