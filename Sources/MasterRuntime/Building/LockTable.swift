internal import MasterKit

/// A need for a lock, with the limit that applies.
struct LockDemand: Sendable, Hashable {
    let name: String
    /// How many units are needed, or `nil` for exclusive access.
    let count: Int?
    /// The number of units that the lock has.
    let limit: Int

    /// Whether the demand can be met beside others for the same lock.
    func fits(beside others: [LockDemand]) -> Bool {
        guard let count else { return others.isEmpty }
        var left = limit - count
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
        limits: [String: Int], heldByBuilder held: Set<String> = []
    ) throws(RenderError) -> [LockDemand] {
        var demands: [LockDemand] = []
        for item in items {
            if let fault = item.fault(limits: limits) { throw RenderError(fault, at: item.range) }
            if held.contains(item.name) {
                throw RenderError(Self.fault(ofHeld: item.name), at: item.range)
            }
            demands.append(
                LockDemand(name: item.name, count: item.count, limit: limits[item.name] ?? 1))
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
    func fault(limits: [String: Int]) -> String? {
        guard let limit = limits[name] else {
            let remedy =
                limits.isEmpty
                ? "add it to 'locks' at the top level"
                : Suggestion.remedy(for: name, among: limits.keys.sorted())
            return "there is no lock '\(name)'; \(remedy)"
        }
        guard let count, count > limit else { return nil }
        return "the lock '\(name)' has a maxCount of \(limit), so \(count) can never be counted"
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
        guard demands.allSatisfy({ $0.fits(beside: held($0.name)) }) else { return false }
        let ahead = waiters.prefix { $0.owner != owner }.filter { waiter in
            waiter.demands.contains { one in demands.contains { $0.name == one.name } }
                && !passes(waiter.owner)
        }
        return demands.allSatisfy { demand in
            let others = ahead.flatMap(\.demands).filter { $0.name == demand.name }
            return demand.fits(beside: held(demand.name) + others)
        }
    }

    private func held(_ name: String) -> [LockDemand] { holders[name, default: []].map(\.demand) }

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
        demands.filter { !$0.fits(beside: held($0.name)) }
            .flatMap { holders[$0.name, default: []] }.map { .build($0.build) }
    }

    /// Whether demands could be met once some owners have given back what they hold.
    func canMeet(_ demands: [LockDemand], once freed: Set<Owner>) -> Bool {
        demands.allSatisfy { demand in
            let holders = holders[demand.name, default: []]
            let kept = holders.filter { !freed.contains(.build($0.build)) }
            return demand.fits(beside: kept.map(\.demand))
        }
    }

    /// The owners ahead of another one that wait for a lock it also needs.
    func waitersAhead(of owner: Owner) -> [Owner] {
        guard let own = waiters.first(where: { $0.owner == owner }) else { return [] }
        let names = Set(own.demands.map(\.name))
        return waiters.prefix { $0.owner != owner }
            .filter { $0.demands.contains { names.contains($0.name) } }.map(\.owner)
    }

    /// The names of the locks that an owner waits for and can't have now.
    func missing(for owner: Owner) -> [String] {
        let ahead = waiters.prefix { $0.owner != owner }.flatMap(\.demands)
        return demands(of: owner).filter { demand in
            !demand.fits(beside: held(demand.name) + ahead.filter { $0.name == demand.name })
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
