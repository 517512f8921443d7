internal import MasterKit

/// The units of a lock.
struct LockLimit: Sendable, Hashable {
    var maxCount = 1
    /// Whether each worker has as many for its builds.
    var isPerWorker = false
}

/// A need for a lock, with the limit that applies.
struct LockDemand: Sendable, Hashable {
    let name: String
    /// How many units are needed, or `nil` for exclusive access.
    let count: Int?
    let limit: LockLimit
    /// The worker whose units are needed, if each worker has some and it is known which one.
    private(set) var worker: String?

    init(name: String, count: Int?, limit: LockLimit) {
        self.name = name
        self.count = count
        self.limit = limit
    }

    /// The same demand in a build on a worker.
    func on(_ worker: String?) -> LockDemand {
        var demand = self
        demand.worker = limit.isPerWorker ? worker : nil
        return demand
    }

    /// Whether two demands are for the same units.
    func concerns(_ other: LockDemand) -> Bool {
        name == other.name && (worker == nil || other.worker == nil || worker == other.worker)
    }

    /// Whether the demand can be met beside others for the same lock.
    func fits(beside others: [LockDemand]) -> Bool {
        guard let count else { return others.isEmpty }
        var left = limit.maxCount - count
        // Not summed up, as a file may have numbers whose sum is too large.
        return left >= 0
            && others.allSatisfy { other in
                guard let count = other.count else { return false }
                left -= count
                return left >= 0
            }
    }
}

extension LockList {
    /// The demands, according to the locks that a file declares.
    ///
    /// - Parameters:
    ///   - limits: The units of each lock.
    ///   - held: The names of locks that the build holds already.
    /// - Returns: The demands.
    /// - Throws: ``RenderError`` for a lock that does not exist, has too few units, or is held
    ///   already.
    func demands(
        limits: [String: LockLimit], heldByBuilder held: Set<String> = []
    ) throws(RenderError) -> [LockDemand] {
        var demands: [LockDemand] = []
        for item in items {
            if let fault = item.fault(limits: limits) { throw RenderError(fault, at: item.range) }
            if held.contains(item.name) {
                throw RenderError(Self.fault(ofHeld: item.name), at: item.range)
            }
            demands.append(item.demand(limits: limits))
        }
        return demands
    }

    /// The error for a lock that a step needs although its builder holds it.
    static func fault(ofHeld name: String) -> String {
        "the builder of this step holds the lock '\(name)' already; remove it from one of them"
    }
}

extension LockList.Item {
    /// Why the lock can't be acquired, or `nil` if it can.
    func fault(limits: [String: LockLimit]) -> String? {
        guard let limit = limits[name] else {
            let remedy =
                limits.isEmpty
                ? "add it to 'locks' at the top level"
                : Suggestion.remedy(for: name, among: limits.keys.sorted())
            return "there is no lock '\(name)'; \(remedy)"
        }
        guard let count, count > limit.maxCount else { return nil }
        return "the lock '\(name)' has a maxCount of \(limit.maxCount), so \(count) can never be "
            + "counted"
    }

    /// The demand, if the lock is declared.
    func demand(limits: [String: LockLimit]) -> LockDemand {
        LockDemand(name: name, count: count, limit: limits[name] ?? LockLimit())
    }
}

/// A step that waits for locks.
typealias WaitingStep = CheckedContinuation<Void, any Error>

/// Who holds which locks, and who waits for some, in the order of arrival.
struct LockTable {
    /// Who holds or wants locks: the build of a request, or a builder whose next build can only
    /// begin with them.
    enum Owner: Sendable, Hashable {
        case build(Int)
        case builder(String)
    }

    /// An owner that waits for all of its demands to be met at once.
    struct Waiter: Sendable {
        let owner: Owner
        let demands: [LockDemand]
        /// The waiting step; `nil` for a builder.
        let step: WaitingStep?
    }

    private(set) var waiters: [Waiter] = []
    private var holders: [String: [(build: Int, demand: LockDemand)]] = [:]

    /// Whether the demands of an owner can be met: nobody holds what it needs, and nobody who came
    /// earlier would have to wait longer.
    ///
    /// - Parameters:
    ///   - demands: What it needs.
    ///   - owner: The owner.
    ///   - passes: Whether it may go before an earlier owner, because that one waits for it.
    /// - Returns: Whether it can have all of the locks now.
    func canTake(
        _ demands: [LockDemand], for owner: Owner, passing passes: (Owner) -> Bool
    ) -> Bool {
        guard demands.allSatisfy({ $0.fits(beside: held(beside: $0)) }) else { return false }
        let ahead = waiters.prefix { $0.owner != owner }.filter { waiter in
            waiter.demands.contains { demands.contains(where: $0.concerns) }
                && !passes(waiter.owner)
        }
        return demands.allSatisfy { demand in
            let others = ahead.flatMap(\.demands).filter(demand.concerns)
            return demand.fits(beside: held(beside: demand) + others)
        }
    }

    private func holders(beside demand: LockDemand) -> [(build: Int, demand: LockDemand)] {
        holders[demand.name, default: []].filter { $0.demand.concerns(demand) }
    }

    private func held(beside demand: LockDemand) -> [LockDemand] {
        holders(beside: demand).map(\.demand)
    }

    /// Gives locks to a build.
    mutating func take(_ demands: [LockDemand], for build: Int) {
        for demand in demands { holders[demand.name, default: []].append((build, demand)) }
    }

    /// Takes locks back from a build: those named, or all.
    mutating func release(_ names: [String]? = nil, of build: Int) {
        for name in names ?? Array(holders.keys) {
            holders[name]?.removeAll { $0.build == build }
            if holders[name]?.isEmpty == true { holders[name] = nil }
        }
    }

    /// Adds an owner to those that wait.
    mutating func add(_ waiter: Waiter) { waiters.append(waiter) }

    /// Removes owners from those that wait, and returns them.
    @discardableResult
    mutating func removeWaiters(where condition: (Owner) -> Bool) -> [Waiter] {
        let removed = waiters.filter { condition($0.owner) }
        if !removed.isEmpty { waiters.removeAll { condition($0.owner) } }
        return removed
    }

    /// The builds that hold what stands in the way of the demands.
    func blockers(of demands: [LockDemand]) -> [Owner] {
        demands.filter { !$0.fits(beside: held(beside: $0)) }
            .flatMap(holders(beside:)).map { .build($0.build) }
    }

    /// Whether demands could be met once some owners have given back what they hold.
    func canMeet(_ demands: [LockDemand], once freed: Set<Owner>) -> Bool {
        demands.allSatisfy { demand in
            let kept = holders(beside: demand).filter { !freed.contains(.build($0.build)) }
            return demand.fits(beside: kept.map(\.demand))
        }
    }

    /// The owners ahead of another one that wait for a lock it also needs.
    func waitersAhead(of owner: Owner) -> [Owner] {
        guard let own = waiters.first(where: { $0.owner == owner }) else { return [] }
        return waiters.prefix { $0.owner != owner }.filter { waiter in
            waiter.demands.contains { own.demands.contains(where: $0.concerns) }
        }.map(\.owner)
    }

    /// The names of the locks that an owner waits for and can't have now.
    func missing(for owner: Owner) -> [String] {
        let ahead = waiters.prefix { $0.owner != owner }.flatMap(\.demands)
        return demands(of: owner).filter { demand in
            !demand.fits(beside: held(beside: demand) + ahead.filter(demand.concerns))
        }.map(\.name)
    }

    /// What an owner waits for.
    func demands(of owner: Owner) -> [LockDemand] {
        waiters.first { $0.owner == owner }?.demands ?? []
    }
}

/// Why a build can't wait: what it would wait for waits for the build itself.
struct Deadlock: Error, CustomStringConvertible {
    /// The names of the builders, each of which waits for the next one, and the last one for the
    /// first one.
    let builders: [String]

    var description: String {
        let path = (builders + builders.prefix(1)).map { "'\($0)'" }
        return "deadlock: \(path.joined(separator: " waits for ")); let one of them hold no lock "
            + "while it waits"
    }
}
